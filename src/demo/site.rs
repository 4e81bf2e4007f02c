//! The land around the clinic, `site.geojson`: plot, roads, neighbours, buried mains and trees, EPSG:2056.

use super::ground::{Ground, TREES, around, polygon, rectangle, round};
use super::place::Lot;
use super::plan::{DEPTH, LENGTH};
use geo::{Area, Contains, Intersects, Point};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The file's text. Shapes are drawn in the building's frame and turned onto the map.
pub fn write(seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0051_7e00);
    let lot = Lot::default();
    let mut ground = Ground::new(seed, &lot);
    let plot = rectangle([-16.0, -26.0], [64.0, 40.0]);
    let building = rectangle([0.0, 0.0], [LENGTH, DEPTH]);
    ground.area(
        "plot",
        &around(&plot, &building),
        &[
            ("kind", "plot".into()),
            ("name", "Riverside Clinic plot".into()),
            ("area_m2", round(plot.unsigned_area()).into()),
        ],
    );
    let roads = [
        ("Riverside Road", rectangle([-80.0, -36.0], [130.0, -28.0])),
        ("Mill Lane", rectangle([66.5, -28.0], [72.5, 90.0])),
        ("Clinic drive", rectangle([21.0, -28.0], [27.0, -3.0])),
    ];
    for (name, shape) in &roads {
        ground.area(&format!("road/{name}"), shape, &[("kind", "road".into()), ("name", (*name).into())]);
    }
    let car_park = rectangle([30.0, -25.0], [62.0, -10.0]);
    ground.area("parking", &car_park, &[("kind", "parking".into()), ("name", "Visitors".into())]);

    // Neighbours stand on plots of their own; sizes and heights are drawn.
    let plots = [
        [-78.0, -20.0],
        [-78.0, 14.0],
        [-50.0, 48.0],
        [-12.0, 52.0],
        [30.0, 52.0],
        [78.0, -20.0],
        [78.0, 12.0],
        [80.0, 46.0],
        [-70.0, -70.0],
        [-26.0, -72.0],
        [18.0, -70.0],
        [66.0, -72.0],
    ];
    let mut neighbours = Vec::new();
    for (n, [x, y]) in plots.into_iter().enumerate() {
        let (w, d) = (f64::from(rng.random_range(14..=24)), f64::from(rng.random_range(12..=20)));
        let storeys = rng.random_range(2..=6);
        let mut corners = vec![[x, y], [x + w, y], [x + w, y + d], [x, y + d]];
        if n % 3 == 0 {
            // An L: a corner is cut out.
            corners = vec![
                [x, y],
                [x + w, y],
                [x + w, y + 0.5 * d],
                [x + 0.5 * w, y + 0.5 * d],
                [x + 0.5 * w, y + d],
                [x, y + d],
            ];
        }
        let shape = polygon(&corners);
        let clear = !shape.intersects(&plot) && !roads.iter().any(|(_, r)| shape.intersects(r));
        if clear && !shape.intersects(&building) {
            let height = f64::from(storeys) * 3.1 + 1.0;
            ground.area(
                &format!("neighbour/{n}"),
                &shape,
                &[
                    ("kind", "building".into()),
                    ("name", format!("Neighbour {}", n + 1).into()),
                    ("height_m", round(height).into()),
                    ("storeys", storeys.into()),
                ],
            );
            neighbours.push(shape);
        }
    }

    // Mains under the road, branches to the west shaft.
    for (name, medium, y, diameter, depth) in [
        ("District heating supply", "heating", -33.0, 0.15, 1.4),
        ("District heating return", "heating", -32.4, 0.15, 1.4),
        ("District cooling supply", "chilled-water", -31.2, 0.25, 1.8),
        ("District cooling return", "chilled-water", -30.6, 0.25, 1.8),
    ] {
        let x = 5.4 + (y + 33.0) * 0.5;
        for (part, line) in [("main", vec![[-80.0, y], [130.0, y]]), ("branch", vec![[x, y], [x, 0.0]])] {
            let size: f64 = if part == "main" { diameter } else { diameter * 0.6 };
            let props = [
                ("kind", "main".into()),
                ("name", format!("{name} {part}").into()),
                ("medium", medium.into()),
                ("diameter_m", round(size).into()),
                ("depth_m", depth.into()),
            ];
            ground.line(&format!("main/{name}/{part}"), &line, &props);
        }
    }

    // Trees: along the road, and where there is room on the plot.
    let mut places: Vec<[f64; 2]> = (0..14).map(|i| [-70.0 + 14.0 * f64::from(i), -26.6]).collect();
    for _ in 0..60 {
        places.push([f64::from(rng.random_range(-150..=630)) * 0.1, f64::from(rng.random_range(-240..=390)) * 0.1]);
    }
    let mut planted: Vec<[f64; 2]> = Vec::new();
    for [x, y] in places {
        let height = f64::from(rng.random_range(50..=130)) * 0.1;
        let kind = TREES[rng.random_range(0..TREES.len())];
        let crown = rectangle([x - 3.0, y - 3.0], [x + 3.0, y + 3.0]);
        let blocked = crown.intersects(&building)
            || roads.iter().any(|(_, r)| {
                r.contains(&Point::new(x, y)) || r.intersects(&rectangle([x - 1.0, y - 1.0], [x + 1.0, y + 1.0]))
            })
            || car_park.intersects(&crown)
            || neighbours.iter().any(|n| n.intersects(&crown))
            || planted.iter().any(|p| (p[0] - x).hypot(p[1] - y) < 5.0);
        if blocked {
            continue;
        }
        let props = [
            ("kind", "tree".into()),
            ("name", kind.into()),
            ("height_m", round(height).into()),
            ("crown_m", round(height * 0.55).into()),
        ];
        ground.point(&format!("tree/{}", planted.len()), [x, y], &props);
        planted.push([x, y]);
    }

    ground.finish("site", &plot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geojson::FeatureCollection;

    #[test]
    fn reads_back_and_stays_off_the_building() {
        for seed in 0..8 {
            let text = write(seed);
            let collection: FeatureCollection = text.parse::<geojson::GeoJson>().unwrap().try_into().unwrap();
            let kinds: Vec<&str> =
                collection.features.iter().map(|f| f.property("kind").unwrap().as_str().unwrap()).collect();
            let count = |k: &str| kinds.iter().filter(|x| **x == k).count();
            assert!(count("building") >= 6, "seed {seed}: {}", count("building"));
            assert_eq!(count("main"), 8);
            assert!(count("tree") >= 15);
            assert_eq!(count("plot"), 1);
        }
    }
}
