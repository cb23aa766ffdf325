//! Positions and cells: the earth is halved again and again, by longitude and latitude in turn, and a cell is named by the halves it is
//! in. A score is the cell of 26 halvings each way.
//!
//! Invariant: arithmetic is Redis's to the last bit, for any score and any position within the limits.

/// Degrees from one to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub min: f64,
    pub max: f64,
}

/// All longitudes.
pub const LONGITUDES: Span = Span {
    min: -180.0,
    max: 180.0,
};
/// The latitudes of Web Mercator.
pub const LATITUDES: Span = Span {
    min: -85.051_128_78,
    max: 85.051_128_78,
};
/// All latitudes, which standard geohashes count by.
const ALL_LATITUDES: Span = Span {
    min: -90.0,
    max: 90.0,
};
/// Halvings each way of a score.
pub const STEPS: u32 = 26;

impl Span {
    /// Whether these degrees are in it.
    pub fn holds(self, degrees: f64) -> bool {
        (self.min..=self.max).contains(&degrees)
    }

    /// The number of the part that holds these degrees, of 2^step.
    fn part(self, degrees: f64, step: u32) -> u32 {
        let share = (degrees - self.min) / (self.max - self.min);
        (share * (1_u64 << step) as f64) as u32
    }

    /// The part of this number.
    fn of_part(self, part: u32, step: u32) -> Self {
        let parts = (1_u64 << step) as f64;
        let scale = self.max - self.min;
        let at = |part: u32| self.min + f64::from(part) / parts * scale;
        Self {
            min: at(part),
            max: at(part.wrapping_add(1)),
        }
    }

    fn middle(self) -> f64 {
        f64::midpoint(self.min, self.max)
    }
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    pub longitude: f64,
    pub latitude: f64,
}

/// What a cell covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub longitude: Span,
    pub latitude: Span,
}

/// A cell of so many halvings each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    x: u32,
    y: u32,
    step: u32,
}

/// Puts a zero before each bit.
fn spread(bits: u32) -> u64 {
    let mut wide = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        wide = (wide | wide << shift) & mask;
    }
    wide
}

/// Takes every second bit.
fn gather(wide: u64) -> u32 {
    let mut bits = wide & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// A score as C makes an integer of it: one that is none may have come by ZADD.
fn integer(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let signed = |number: f64| {
        if (-HALF..HALF).contains(&number) {
            number as i64
        } else {
            i64::MIN
        }
    };
    if score < HALF {
        signed(score) as u64
    } else {
        signed(score - HALF) as u64 ^ 1 << 63
    }
}

impl Cell {
    /// The one that holds a position.
    pub fn of(position: Position, step: u32) -> Self {
        Self {
            x: LONGITUDES.part(position.longitude, step),
            y: LATITUDES.part(position.latitude, step),
            step,
        }
    }

    /// The smallest one, of a score.
    fn of_score(score: f64) -> Self {
        let bits = integer(score);
        Self {
            x: gather(bits >> 1),
            y: gather(bits),
            step: STEPS,
        }
    }

    fn bits(self) -> u64 {
        spread(self.x) << 1 | spread(self.y)
    }

    /// The neighbour, so many to the east and to the north. At the edge of the map the next one is at the other edge.
    pub fn moved(self, east: i32, north: i32) -> Self {
        let mask = (1 << self.step) - 1;
        let to = |at: u32, by: i32| match by {
            0 => at,
            by => at.wrapping_add_signed(by) & mask,
        };
        Self {
            x: to(self.x, east),
            y: to(self.y, north),
            step: self.step,
        }
    }

    /// What it covers.
    pub fn area(self) -> Area {
        Area {
            longitude: LONGITUDES.of_part(self.x, self.step),
            latitude: LATITUDES.of_part(self.y, self.step),
        }
    }

    /// The scores of what lies in it: from the first one on, below the second one.
    pub fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.step);
        let align = |bits: u64| (bits << shift) as f64;
        (align(self.bits()), align(self.bits() + 1))
    }
}

/// The score of a position.
pub fn score_of(position: Position) -> f64 {
    Cell::of(position, STEPS).bits() as f64
}

/// The middle of the cell of a score.
pub fn position_of(score: f64) -> Position {
    let area = Cell::of_score(score).area();
    let within = |span: Span, limits: Span| span.middle().clamp(limits.min, limits.max);
    Position {
        longitude: within(area.longitude, LONGITUDES),
        latitude: within(area.latitude, LATITUDES),
    }
}

/// The geohash that others write: eleven letters, of which the last says nothing.
pub fn geohash(score: f64) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let position = position_of(score);
    let (x, y) = (
        LONGITUDES.part(position.longitude, STEPS),
        ALL_LATITUDES.part(position.latitude, STEPS),
    );
    let bits = spread(x) << 1 | spread(y);
    std::array::from_fn(|nth| {
        let index = if nth < 10 {
            bits >> (47 - 5 * nth) & 31
        } else {
            0
        };
        LETTERS.get(index as usize).copied().unwrap_or(b'0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_that_are_none_are_read_as_c_does() {
        for (score, bits) in [
            (0.0, 0),
            (1.5, 1),
            (-5.0, 0xffff_ffff_ffff_fffb),
            (1e300, 0),
            (f64::INFINITY, 0),
            (f64::NEG_INFINITY, 1 << 63),
            (9_223_372_036_854_775_808.0, 1 << 63),
        ] {
            assert_eq!(integer(score), bits, "{score}");
        }
    }

    #[test]
    fn geohashes_are_those_of_everybody_else() {
        let palermo = Position {
            longitude: 13.361_389,
            latitude: 38.115_556,
        };
        assert_eq!(&geohash(score_of(palermo)), b"sqc8b49rny0");
        assert_eq!(score_of(palermo), 3_479_099_956_230_698.0);
    }

    proptest! {
        #[test]
        fn what_is_decoded_lies_within_a_cell_of_what_was_encoded(
            longitude in -180.0..180.0_f64, latitude in -85.05..85.05_f64, step in 1_u32..=26,
        ) {
            let position = Position { longitude, latitude };
            let area = Cell::of(position, step).area();
            let near = |span: Span, at: f64| span.min - 1e-9 <= at && at <= span.max + 1e-9;
            prop_assert!(near(area.longitude, longitude) && near(area.latitude, latitude));
            let decoded = position_of(score_of(position));
            prop_assert!((decoded.longitude - longitude).abs() <= 360.0 / f64::from(1 << 26));
            prop_assert!((decoded.latitude - latitude).abs() <= 171.0 / f64::from(1 << 26));
            // It is the same score again.
            prop_assert_eq!(score_of(decoded), score_of(position));
            let (min, max) = Cell::of(position, step).scores();
            prop_assert!((min..max).contains(&score_of(position)));
        }

        #[test]
        fn whoever_goes_there_and_back_is_where_he_was(x: u32, y: u32, step in 1_u32..=26, east in -1..=1, north in -1..=1) {
            let mask = (1 << step) - 1;
            let cell = Cell { x: x & mask, y: y & mask, step };
            prop_assert_eq!(cell.moved(east, north).moved(-east, -north), cell);
        }

        #[test]
        fn bits_are_spread_and_gathered(bits: u32, any_score: f64) {
            prop_assert_eq!(gather(spread(bits)), bits);
            let position = position_of(any_score);
            prop_assert!(LONGITUDES.holds(position.longitude) && LATITUDES.holds(position.latitude));
            let _letters = geohash(any_score);
        }
    }
}
