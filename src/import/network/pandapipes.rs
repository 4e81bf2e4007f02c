//! pandapipes nets as JSON: water and other liquids, with what their heat part needs.
//!
//! A net is a bundle of tables, each a JSON text within the JSON (pandas, "split"): `junction`, `pipe`,
//! `valve`, `pump`, `ext_grid`, `sink`, `source`, `heat_exchanger`. A table that is not read and has rows is
//! told. Gas nets are refused: their flow is compressible.

mod frames;
mod heat;

use crate::problem::Problem;
use crate::simulation::network::{
    Command, Curve, CurveKind, Demand, Friction, Junction, Link, LinkKind, LossFormula, Network, Node, NodeKind, Pipe,
    Pump, PumpHead, Valve, ValveKind,
};
use frames::{BAR, Row, column, lift_points, mean, property_at, pump_types, within};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

/// K at 0 °C.
const ZERO_C: f64 = 273.15;
/// Tables that hold nothing of the flow.
const SILENT: [&str; 5] = ["controller", "junction_geodata", "pipe_geodata", "std_type", "component_list"];

/// A pandapipes net.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipeNet {
    /// The flow network. An external grid's junction is a reservoir, whose elevation is its head.
    pub network: Network,
    /// The number of each node's junction in the net; by node.
    pub junctions: Vec<i64>,
    /// Height of each node, m: pressure is head less height.
    pub height_m: Vec<f64>,
    /// Temperature each node begins with, °C.
    pub start_c: Vec<f64>,
    /// Nodes whose inflow has a fixed temperature, °C: external grids.
    pub fixed_c: Vec<(usize, f64)>,
    /// Heat capacity of the fluid, J/(kg·K).
    pub heat_capacity: f64,
    /// What warms or cools the pipes and heat exchangers.
    pub warmth: Vec<Warmth>,
}

/// What warms or cools a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmth {
    /// The link in [`PipeNet::network`].
    pub link: usize,
    /// Its number in its table.
    pub number: i64,
    /// Whether it is a pipe, not a heat exchanger.
    pub pipe: bool,
    /// Equal parts it is worked out in.
    pub sections: usize,
    /// Heat transfer through its wall, W/(m²·K), on its inner surface.
    pub transfer_w_m2k: f64,
    /// Temperature around it, °C.
    pub around_c: f64,
    /// Heat put in, W; negative takes heat out.
    pub gain_w: f64,
}

/// Reads a net; `name` is what problems call the file.
pub fn read(bytes: &[u8], name: &str) -> (PipeNet, Vec<Problem>) {
    let mut reader = Reader { name, net: PipeNet::default(), problems: Vec::new(), nodes: FxHashMap::default() };
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(outer)) => match within(outer.get("_object")) {
            Some(Value::Object(tables)) => reader.tables(&tables),
            _ => reader.refuse(
                "",
                "it is no pandapipes net: it has no `_object`",
                "save the net with pandapipes.to_json",
            ),
        },
        Ok(_) => reader.refuse("", "it is no pandapipes net", "save the net with pandapipes.to_json"),
        Err(e) => reader.refuse("", &format!("it is no JSON: {e}"), "save the net with pandapipes.to_json"),
    }
    (reader.net, reader.problems)
}

struct Reader<'a> {
    name: &'a str,
    net: PipeNet,
    problems: Vec<Problem>,
    /// The node of a junction's number.
    nodes: FxHashMap<i64, usize>,
}

impl Reader<'_> {
    fn refuse(&mut self, place: &str, message: &str, remedy: &str) {
        let place = if place.is_empty() { self.name.to_owned() } else { format!("{}: {place}", self.name) };
        self.problems.push(Problem::error(place, message, remedy));
    }

    fn tables(&mut self, tables: &Map<String, Value>) {
        if !self.fluid(tables) {
            return;
        }
        self.net.network.options.formula = LossFormula::DarcyWeisbach;
        self.net.network.title = tables.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.rows(tables, "junction", Self::junction);
        self.rows(tables, "ext_grid", Self::external);
        self.rows(tables, "sink", |reader, row| reader.taken(row, "sink", 1.0));
        self.rows(tables, "source", |reader, row| reader.taken(row, "source", -1.0));
        self.rows(tables, "pipe", Self::pipe);
        self.rows(tables, "valve", Self::valve);
        let lifts = pump_types(tables);
        self.rows(tables, "pump", |reader, row| reader.pump(row, &lifts));
        self.rows(tables, "heat_exchanger", Self::exchanger);
        let read = ["junction", "ext_grid", "sink", "source", "pipe", "valve", "pump", "heat_exchanger"];
        for (table, value) in tables {
            let silent =
                read.contains(&table.as_str()) || SILENT.contains(&table.as_str()) || table.starts_with("res_");
            let frame = value.get("_class").and_then(Value::as_str) == Some("DataFrame");
            if silent || table.starts_with('_') || !frame {
                continue;
            }
            let rows = within(value.get("_object")).and_then(|t| t.get("data")?.as_array().map(Vec::len)).unwrap_or(0);
            if rows > 0 {
                let message = format!("{rows} rows of the table are not read");
                self.refuse(table, &message, "the rest is; replace them by pipes, valves, pumps, sinks and sources");
            }
        }
        if !self.net.network.nodes.iter().any(|n| matches!(n.kind, NodeKind::Reservoir { .. })) {
            self.refuse("ext_grid", "nothing says what the pressure is", "add an external grid");
        }
    }

    /// Density, viscosity and heat capacity; false for what is no liquid.
    fn fluid(&mut self, tables: &Map<String, Value>) -> bool {
        let fluid = within(tables.get("fluid").and_then(|f| f.get("_object"))).unwrap_or(Value::Null);
        if fluid.get("is_gas").and_then(Value::as_bool) == Some(true) {
            self.refuse("fluid", "a gas is compressible; only liquids are read", "give a net of water");
            return false;
        }
        let start = within(tables.get("junction").and_then(|t| t.get("_object")));
        let warm = start.as_ref().and_then(|t| column(t, "tfluid_k")).and_then(|k| mean(&k)).unwrap_or(293.15);
        let mut property = |name: &str, otherwise: f64| {
            let of = fluid.get("all_properties").and_then(|p| p.get(name));
            let value = of.and_then(|p| within(p.get("_object"))).and_then(|p| property_at(&p, warm));
            value.filter(|v| *v > 0.0).unwrap_or_else(|| {
                let message = format!("the fluid's {name} cannot be read; that of water, {otherwise}, is taken");
                self.problems.push(Problem::warning(format!("{}: fluid", self.name), message, "give it as a constant"));
                otherwise
            })
        };
        let (density, dynamic) = (property("density", 998.2), property("viscosity", 1.0016e-3));
        let mut capacity = property("heat_capacity", 4184.0);
        // No liquid has so little a kilogram; some nets state it in kJ.
        if capacity < 100.0 {
            capacity *= 1000.0;
        }
        self.net.network.fluid.density = density;
        self.net.network.fluid.viscosity = dynamic / density;
        self.net.network.fluid.specific_gravity = density / 1000.0;
        self.net.heat_capacity = capacity;
        true
    }

    /// Calls `each` with every row that is in service.
    fn rows(&mut self, tables: &Map<String, Value>, table: &str, mut each: impl FnMut(&mut Self, &Row<'_>)) {
        let Some(frame) = within(tables.get(table).and_then(|t| t.get("_object"))) else { return };
        let list = |key: &str| frame.get(key).and_then(Value::as_array).map(Vec::as_slice);
        let (Some(columns), Some(numbers), Some(data)) = (list("columns"), list("index"), list("data")) else {
            return self.refuse(
                table,
                "the table has no columns, index and data",
                "save the net with pandapipes.to_json",
            );
        };
        for (number, cells) in numbers.iter().zip(data) {
            let names = columns.iter().filter_map(Value::as_str);
            let cells = names.zip(cells.as_array().map_or(&[][..], Vec::as_slice)).collect();
            let row = Row { number: number.as_i64().unwrap_or(-1), cells };
            if row.yes("in_service") {
                each(self, &row);
            }
        }
    }

    fn junction(&mut self, row: &Row<'_>) {
        let height = row.number_or("height_m", 0.0);
        let node =
            Node { id: row.number.to_string(), elevation: height, kind: NodeKind::Junction(Junction::default()) };
        if self.nodes.insert(row.number, self.net.network.nodes.len()).is_some() {
            return self.refuse(&format!("junction {}", row.number), "the number is taken already", "number them anew");
        }
        self.net.network.nodes.push(node);
        self.net.junctions.push(row.number);
        self.net.height_m.push(height);
        self.net.start_c.push(row.number_or("tfluid_k", 293.15) - ZERO_C);
    }

    /// The node that a column names; an unknown one is told.
    fn node(&mut self, row: &Row<'_>, column: &str, what: &str) -> Option<usize> {
        let junction = row.number_in(column).map(|v| v as i64);
        let found = junction.and_then(|j| self.nodes.get(&j).copied());
        if found.is_none() {
            let message = format!("its {column} is no junction in service; it is left out");
            self.refuse(&format!("{what} {}", row.number), &message, "name a junction of the net");
        }
        found
    }

    fn external(&mut self, row: &Row<'_>) {
        let Some(at) = self.node(row, "junction", "ext_grid") else { return };
        let kind = row.cells.get("type").and_then(|v| v.as_str()).unwrap_or("pt");
        if kind.contains('t')
            && let Some(kelvin) = row.number_in("t_k")
        {
            self.net.fixed_c.push((at, kelvin - ZERO_C));
        }
        if !kind.contains('p') {
            return;
        }
        let Some(bar) = row.number_in("p_bar") else {
            return self.refuse(&format!("ext_grid {}", row.number), "it has no pressure", "give it p_bar");
        };
        let head = bar * BAR / self.net.network.pa_per_m() + self.net.height_m.get(at).copied().unwrap_or(0.0);
        if let Some(node) = self.net.network.nodes.get_mut(at) {
            (node.elevation, node.kind) = (head, NodeKind::Reservoir { pattern: None });
        }
    }

    fn taken(&mut self, row: &Row<'_>, what: &str, sign: f64) {
        let Some(at) = self.node(row, "junction", what) else { return };
        let Some(mass) = row.number_in("mdot_kg_per_s") else {
            return self.refuse(&format!("{what} {}", row.number), "it has no mass flow", "give it mdot_kg_per_s");
        };
        let base = sign * mass * row.number_or("scaling", 1.0) / self.net.network.fluid.density;
        if let Some(NodeKind::Junction(junction)) = self.net.network.nodes.get_mut(at).map(|n| &mut n.kind) {
            junction.demands.push(Demand { base, pattern: None, category: format!("{what} {}", row.number) });
        }
    }

    /// Adds a link between two junctions; gives back its place.
    fn link(&mut self, row: &Row<'_>, what: &str, kind: LinkKind, command: Command, setting: f64) -> Option<usize> {
        let (from, to) = (self.node(row, "from_junction", what)?, self.node(row, "to_junction", what)?);
        if from == to {
            self.refuse(
                &format!("{what} {}", row.number),
                "it begins and ends at the same junction",
                "join it to another",
            );
            return None;
        }
        let id = format!("{what} {}", row.number);
        self.net.network.links.push(Link { id, from, to, kind, command, setting, head_gain: 0.0 });
        Some(self.net.network.links.len() - 1)
    }

    /// A number above zero that a row needs; another is told.
    fn positive(&mut self, row: &Row<'_>, what: &str, column: &str) -> Option<f64> {
        let value = row.number_in(column).filter(|v| *v > 0.0);
        if value.is_none() {
            let message = format!("its {column} is not above zero; it is left out");
            self.refuse(&format!("{what} {}", row.number), &message, "give it a value above zero");
        }
        value
    }

    fn pipe(&mut self, row: &Row<'_>) {
        let (Some(length), Some(diameter)) =
            (self.positive(row, "pipe", "length_km"), self.positive(row, "pipe", "diameter_m"))
        else {
            return;
        };
        let friction = Friction::DarcyWeisbach(row.number_or("k_mm", 0.0).max(0.0) * 1e-3);
        let minor = row.number_or("loss_coefficient", 0.0).max(0.0);
        let pipe = Pipe { length: length * 1000.0, diameter, friction, minor, check: false, leak: None };
        let Some(link) = self.link(row, "pipe", LinkKind::Pipe(pipe), Command::Auto, 0.0) else { return };
        self.net.warmth.push(Warmth {
            link,
            number: row.number,
            pipe: true,
            sections: row.number_or("sections", 1.0).clamp(1.0, 1e6) as usize,
            transfer_w_m2k: row.number_in("u_w_per_m2k").unwrap_or_else(|| row.number_or("alpha_w_per_m2k", 0.0)),
            around_c: row.number_or("text_k", 293.15) - ZERO_C,
            gain_w: row.number_or("qext_w", 0.0),
        });
    }

    fn valve(&mut self, row: &Row<'_>) {
        let Some(diameter) = self.positive(row, "valve", "diameter_m") else { return };
        let kind = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter, minor: 0.0 });
        let command = if row.yes("opened") { Command::Auto } else { Command::Closed };
        self.link(row, "valve", kind, command, row.number_or("loss_coefficient", 0.0).max(0.0));
    }

    fn exchanger(&mut self, row: &Row<'_>) {
        let Some(diameter) = self.positive(row, "heat_exchanger", "diameter_m") else { return };
        let kind = LinkKind::Valve(Valve { kind: ValveKind::Throttle, diameter, minor: 0.0 });
        let loss = row.number_or("loss_coefficient", 0.0).max(0.0);
        let Some(link) = self.link(row, "heat_exchanger", kind, Command::Auto, loss) else { return };
        let gain_w = row.number_or("qext_w", 0.0);
        let number = row.number;
        self.net.warmth.push(Warmth {
            link,
            number,
            pipe: false,
            sections: 1,
            transfer_w_m2k: 0.0,
            around_c: 20.0,
            gain_w,
        });
    }

    fn pump(&mut self, row: &Row<'_>, lifts: &FxHashMap<String, Vec<f64>>) {
        let place = format!("pump {}", row.number);
        let kind = row.cells.get("std_type").and_then(|v| v.as_str()).unwrap_or_default();
        let Some(lift) = lifts.get(kind) else {
            let message = format!("there is no pump type {kind:?}; the pump is left out");
            return self.refuse(&place, &message, "add it to std_type");
        };
        let points = lift_points(lift, self.net.network.pa_per_m());
        if points.len() < 2 {
            return self.refuse(&place, "its type lifts nothing at no flow; it is left out", "mend its reg_par");
        }
        let known = self.net.network.curves.iter().position(|c| c.id == kind);
        let curve = known.unwrap_or_else(|| {
            self.net.network.curves.push(Curve { id: kind.to_owned(), kind: CurveKind::PumpHead, points });
            self.net.network.curves.len() - 1
        });
        let pump = Pump { head: PumpHead::Curve(curve), efficiency: None, pattern: None };
        self.link(row, "pump", LinkKind::Pump(pump), Command::Auto, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn frame(columns: &[&str], rows: &[Value]) -> Value {
        let index: Vec<usize> = (0..rows.len()).collect();
        let text = json!({"columns": columns, "index": index, "data": rows}).to_string();
        json!({"_module": "pandas.core.frame", "_class": "DataFrame", "_object": text})
    }

    fn net() -> Value {
        let constant = |v: f64| json!({"_class": "FluidPropertyConstant", "_object": json!({"value": v}).to_string()});
        let fluid = json!({"is_gas": false, "all_properties":
            {"density": constant(1000.0), "viscosity": constant(1e-3), "heat_capacity": constant(4200.0)}});
        let kind = json!({"name": "big", "reg_par": {"_module": "numpy", "_object": [-0.01, 0.0, 4.0]}}).to_string();
        json!({"_class": "pandapipesNet", "_object": {
            "name": "small",
            "fluid": {"_class": "Fluid", "_object": fluid.to_string()},
            "std_type": {"pump": {"big": {"_object": kind}}},
            "junction": frame(&["height_m", "tfluid_k", "in_service"],
                &[json!([0.0, 293.15, true]), json!([10.0, 293.15, true]), json!([0.0, 293.15, true]), json!([0.0, 1.0, false])]),
            "ext_grid": frame(&["junction", "p_bar", "t_k", "type"], &[json!([0, 2.0, 333.15, "pt"])]),
            "sink": frame(&["junction", "mdot_kg_per_s", "scaling"], &[json!([2, 3.0, 2.0])]),
            "source": frame(&["junction", "mdot_kg_per_s", "scaling"], &[json!([1, 1.0, 1.0])]),
            "pipe": frame(&["from_junction", "to_junction", "length_km", "diameter_m", "k_mm", "sections", "alpha_w_per_m2k", "text_k"],
                &[json!([0, 1, 0.5, 0.1, 0.2, 4, 10.0, 283.15]), json!([1, 3, 0.5, 0.1, 0.2, 1, 0.0, 283.15]), json!([1, 2, 0.5, 0.0, 0.2, 1, 0.0, 283.15])]),
            "pump": frame(&["from_junction", "to_junction", "std_type"], &[json!([1, 2, "big"]), json!([1, 2, "none"])]),
            "flow_control": frame(&["from_junction"], &[json!([0])])
        }})
    }

    #[test]
    fn a_net_is_read_and_what_is_wrong_is_told() {
        let (net, problems) = read(net().to_string().as_bytes(), "n.json");
        let network = &net.network;
        assert_eq!((network.nodes.len(), network.links.len()), (3, 2), "{problems:#?}");
        assert!((network.nodes[0].elevation - 2e5 / network.pa_per_m()).abs() < 1e-9);
        assert_eq!(net.fixed_c.len(), 1);
        assert!((net.fixed_c[0].1 - 60.0).abs() < 1e-9 && net.heat_capacity == 4200.0);
        let demand = network.boundary().demand;
        assert!((demand[2] - 0.006).abs() < 1e-12 && (demand[1] + 0.001).abs() < 1e-12);
        assert_eq!((net.warmth[0].sections, net.warmth[0].transfer_w_m2k), (4, 10.0));
        // 4 bar at no flow, nothing at 20 m³/h.
        let points = &network.curves[0].points;
        assert!((points[0].1 - 4e5 / network.pa_per_m()).abs() < 1e-9);
        assert!((points.last().unwrap().0 - 20.0 / 3600.0).abs() < 1e-9);
        for wanted in ["pipe 1", "pipe 2", "pump 1", "flow_control"] {
            assert!(problems.iter().any(|p| p.place.contains(wanted)), "{wanted}: {problems:#?}");
        }
        assert_eq!(problems.len(), 4);
    }

    #[test]
    fn what_is_no_net_is_refused() {
        for bytes in [
            &b""[..],
            b"[1]",
            b"{}",
            b"{\"_object\": 3}",
            b"{\"_object\": {}}",
            b"\xff\x00",
            b"{\"_object\": {\"junction\": {\"_object\": \"[\"}}}",
        ] {
            let (_, problems) = read(bytes, "n.json");
            assert!(problems.iter().any(|p| p.severity == crate::Severity::Error), "{bytes:?}");
        }
        let mut gas = net();
        gas["_object"]["fluid"]["_object"] = json!("{\"is_gas\": true}");
        let (net, problems) = read(gas.to_string().as_bytes(), "n.json");
        assert!(net.network.nodes.is_empty() && problems[0].message.contains("gas"));
    }
}
