//! What is looked for: a circle or a box around a position; how far two positions are from each other; the nine cells that cover
//! it, of which those that cannot hold anything are left out.
//!
//! Invariant: formulas and their order of operations are those of Redis 7.2, so that distances are the same to the last bit.

use crate::commands::geo::cell::{Cell, Position, STEPS};

/// The earth's mean radius, in metres.
const EARTH_RADIUS: f64 = 6_372_797.560856;
/// Half of the map's width, in metres.
const MERCATOR_MAX: f64 = 20_037_726.37;
const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// What is looked for, in the unit that was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// The radius of a circle.
    Circle(f64),
    /// Width and height of a box.
    Box(f64, f64),
}

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Its middle.
    pub center: Position,
    /// How large it is.
    pub extent: Extent,
    /// How many metres the unit of that has.
    pub unit: f64,
}

fn latitude_distance(one: f64, other: f64) -> f64 {
    EARTH_RADIUS * (other * RADIANS - one * RADIANS).abs()
}

/// In metres, along the great circle (haversine).
pub fn distance(one: Position, other: Position) -> f64 {
    let v = ((other.longitude * RADIANS - one.longitude * RADIANS) / 2.0).sin();
    if v == 0.0 {
        return latitude_distance(one.latitude, other.latitude);
    }
    let (from, to) = (one.latitude * RADIANS, other.latitude * RADIANS);
    let u = ((to - from) / 2.0).sin();
    let a = u * u + from.cos() * to.cos() * v * v;
    2.0 * EARTH_RADIUS * a.sqrt().asin()
}

/// Halvings after which a cell is about as large as this many metres.
fn steps_for(mut metres: f64, latitude: f64) -> u32 {
    if metres == 0.0 {
        return STEPS;
    }
    let mut steps = 1_i32;
    while metres < MERCATOR_MAX {
        metres *= 2.0;
        steps += 1;
    }
    steps -= 2;
    // Towards the poles they get narrower.
    if latitude.abs() > 66.0 {
        steps -= 1;
        if latitude.abs() > 80.0 {
            steps -= 1;
        }
    }
    steps.clamp(1, STEPS as i32) as u32
}

/// East and north of the eight neighbours, in the order in which Redis looks at them.
const NEIGHBOURS: [(i32, i32); 8] = [
    (0, 1),
    (0, -1),
    (1, 0),
    (-1, 0),
    (1, 1),
    (-1, 1),
    (1, -1),
    (-1, -1),
];

impl Shape {
    /// How far a position is from the middle, in metres; none where it is outside.
    pub fn distance_to(&self, position: Position) -> Option<f64> {
        match self.extent {
            Extent::Circle(radius) => {
                let distance = distance(self.center, position);
                // What is no number is inside.
                let is_out = distance > radius * self.unit;
                (!is_out).then_some(distance)
            }
            Extent::Box(width, height) => {
                let (width, height) = (width * self.unit, height * self.unit);
                let up = latitude_distance(position.latitude, self.center.latitude);
                let beside = Position {
                    longitude: self.center.longitude,
                    latitude: position.latitude,
                };
                let is_out = up > height / 2.0 || distance(position, beside) > width / 2.0;
                (!is_out).then(|| distance(self.center, position))
            }
        }
    }

    /// The least and the largest longitude, then latitude.
    fn bounds(&self) -> [f64; 4] {
        let Position {
            longitude,
            latitude,
        } = self.center;
        let (width, height) = match self.extent {
            Extent::Circle(radius) => (radius, radius),
            Extent::Box(width, height) => (width / 2.0, height / 2.0),
        };
        let (width, height) = (self.unit * width, self.unit * height);
        let up = height / EARTH_RADIUS / RADIANS;
        // The nearer to a pole, the more degrees.
        let edge = if latitude < 0.0 {
            latitude - up
        } else {
            latitude + up
        };
        let along = width / EARTH_RADIUS / (edge * RADIANS).cos() / RADIANS;
        [
            longitude - along,
            longitude + along,
            latitude - up,
            latitude + up,
        ]
    }

    /// The cells to look at, in Redis's order.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        let [west, east, south, north] = self.bounds();
        let metres = self.unit
            * match self.extent {
                Extent::Circle(radius) => radius,
                Extent::Box(width, height) => {
                    (width / 2.0 * (width / 2.0) + height / 2.0 * (height / 2.0)).sqrt()
                }
            };
        let mut steps = steps_for(metres, self.center.latitude);
        let mut middle = Cell::of(self.center, steps);
        // Near the edge of its cell it may reach beyond the neighbours.
        let is_too_small = middle.moved(0, 1).area().latitude.max < north
            || middle.moved(0, -1).area().latitude.min > south
            || middle.moved(1, 0).area().longitude.max < east
            || middle.moved(-1, 0).area().longitude.min > west;
        if steps > 1 && is_too_small {
            steps -= 1;
            middle = Cell::of(self.center, steps);
        }
        let area = middle.area();
        let is_useful = move |(x, y): (i32, i32)| {
            steps < 2
                || !(y < 0 && area.latitude.min < south
                    || y > 0 && area.latitude.max > north
                    || x < 0 && area.longitude.min < west
                    || x > 0 && area.longitude.max > east)
        };
        let around = NEIGHBOURS.into_iter().filter(move |by| is_useful(*by));
        let mut last = None;
        // Where cells are large, neighbours on either side may be the same.
        let around = around.map(move |(x, y)| middle.moved(x, y));
        let around = around.filter(move |cell| last.replace(*cell) != Some(*cell));
        std::iter::once(middle).chain(around)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::geo::cell::{position_of, score_of};
    use proptest::prelude::*;

    fn position() -> impl Strategy<Value = Position> {
        (-179.0..179.0_f64, -80.0..80.0_f64).prop_map(|(longitude, latitude)| Position {
            longitude,
            latitude,
        })
    }

    proptest! {
        #[test]
        fn what_lies_inside_lies_in_the_cells(
            center in position(), places in proptest::collection::vec((-1.0..1.0_f64, -1.0..1.0_f64), 1..60),
            size in 1.0..300_000.0_f64, is_box: bool,
        ) {
            let extent = if is_box { Extent::Box(size, size * 0.7) } else { Extent::Circle(size) };
            let shape = Shape { center, extent, unit: 1.0 };
            let reach = size / 60_000.0;
            for (x, y) in places {
                let near = Position {
                    longitude: (center.longitude + x * reach).clamp(-180.0, 179.9),
                    latitude: (center.latitude + y * reach).clamp(-85.0, 85.0),
                };
                let score = score_of(near);
                let in_cells = shape.cells().filter(|cell| {
                    let (min, max) = cell.scores();
                    (min..max).contains(&score)
                });
                let found = in_cells.count();
                prop_assert!(found <= 1, "cells overlap");
                // At the edge of the map Redis does not look at the other edge.
                let is_at_edge = center.longitude.abs() > 160.0 || center.latitude.abs() > 70.0;
                if shape.distance_to(position_of(score)).is_some() && !is_at_edge {
                    prop_assert_eq!(found, 1);
                }
            }
        }

        #[test]
        fn distances_are_the_same_both_ways(one in position(), other in position()) {
            let (there, back) = (distance(one, other), distance(other, one));
            prop_assert!((there - back).abs() < 1e-6);
            prop_assert!(there <= EARTH_RADIUS * 3.15);
        }
    }
}
