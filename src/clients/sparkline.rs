//! A graph in characters, as `LATENCY GRAPH` shows it: columns of four rows, each with its label written downwards below.

use std::fmt::Write as _;

/// Rows of a column.
const ROWS: usize = 4;
/// What fills a cell: nearly nothing, half, nearly all. A cell below the top of its column is a bar.
const CELLS: [char; 3] = ['_', 'o', '#'];

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its height.
    pub value: f64,
    /// What stands below it.
    pub label: String,
}

/// Draws all columns, `width` of them beside each other.
pub fn draw(columns: &[Column], width: usize, out: &mut String) {
    let values = || columns.iter().map(|column| column.value);
    let min = values().fold(f64::INFINITY, f64::min);
    let max = values().fold(f64::NEG_INFINITY, f64::max);
    let range = if max > min { max - min } else { 1.0 };
    for (index, some) in columns.chunks(width.max(1)).enumerate() {
        if index > 0 {
            out.push('\n');
        }
        draw_rows(some, min, range, out);
    }
}

fn draw_rows(columns: &[Column], min: f64, range: f64, out: &mut String) {
    let steps = CELLS.len() * ROWS;
    for row in 0..ROWS {
        let below = (ROWS - row - 1) * CELLS.len();
        for column in columns {
            let step = (((column.value - min) * steps as f64) / range) as usize;
            let step = step.min(steps - 1);
            out.push(match step.checked_sub(below) {
                None => ' ',
                Some(cell) => CELLS.get(cell).copied().unwrap_or('|'),
            });
        }
        out.push('\n');
    }
    // One empty row, then the labels.
    let _ = writeln!(out, "{}", " ".repeat(columns.len()));
    let tallest = columns.iter().map(|column| column.label.len()).max();
    for at in 0..tallest.unwrap_or(0) {
        for column in columns {
            let byte = column.label.as_bytes().get(at);
            out.push(byte.map_or(' ', |byte| char::from(*byte)));
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_rise_with_their_values_and_bear_their_labels() {
        let columns = [(0.0, "15s"), (5.0, "9s"), (11.0, "1m")].map(|(value, label)| Column {
            value,
            label: label.to_owned(),
        });
        let mut out = String::new();
        draw(&columns, 80, &mut out);
        assert_eq!(out, "  #\n  |\n #|\n_||\n   \n191\n5sm\ns  \n");
    }

    #[test]
    fn equal_values_lie_at_the_bottom_and_long_rows_are_broken() {
        let column = Column {
            value: 7.0,
            label: "1s".to_owned(),
        };
        let mut out = String::new();
        draw(&vec![column; 3], 2, &mut out);
        let first = "  \n  \n  \n__\n  \n11\nss\n";
        assert_eq!(out, format!("{first}\n \n \n \n_\n \n1\ns\n"));
    }
}
