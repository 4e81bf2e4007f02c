//! The entries of water quality, the map and the report.

use super::document::SectionKind as S;
use super::entries::Maker;
use super::quality::{MIXING_WORDS, ReactionOf, SOURCE_WORDS};
use super::words::{quoted, written};

impl Maker<'_> {
    pub(super) fn quality(&mut self) {
        let quality = &self.file.quality;
        for (node, value) in &quality.initial {
            let words = [self.node(*node), written(*value)];
            self.add(S::Quality, format!("quality:{}", self.node_id(*node)), &words);
        }
        for source in &quality.sources {
            let kind = SOURCE_WORDS.iter().find(|(_, kind)| *kind == source.kind).map_or("CONCEN", |(word, _)| word);
            let words =
                vec![self.node(source.node), kind.to_owned(), written(source.value), self.pattern(source.pattern)];
            self.line(S::Sources, format!("source:{}", self.node_id(source.node)), words);
        }
        // Wall coefficients of first order are a length a day; the others hold in any units.
        let first_order = quality.orders[2 - 1].is_none_or(|order| order == 1.0);
        let length = if first_order { self.file.units.m() / self.units.m() } else { 1.0 };
        for (word, order) in ["BULK", "WALL", "TANK"].into_iter().zip(quality.orders) {
            if let Some(order) = order {
                self.add_lines(
                    S::Reactions,
                    format!("reaction:ORDE:{word}"),
                    vec![format!("ORDER {word} {}", written(order))],
                );
            }
        }
        for ((word, factor), value) in [("BULK", 1.0), ("WALL", length)].into_iter().zip(quality.global) {
            if let Some(value) = value {
                let line = format!("GLOBAL {word} {}", written(value * factor));
                self.add_lines(S::Reactions, format!("reaction:GLOB:{word}"), vec![line]);
            }
        }
        if let Some(value) = quality.limiting {
            let line = format!("LIMITING POTENTIAL {}", written(value));
            self.add_lines(S::Reactions, "reaction:LIMI".to_owned(), vec![line]);
        }
        if let Some(value) = quality.roughness {
            let line = format!("ROUGHNESS CORRELATION {}", written(value));
            self.add_lines(S::Reactions, "reaction:ROUG".to_owned(), vec![line]);
        }
        for reaction in &quality.reactions {
            let (word, name, id, factor) = match reaction.of {
                ReactionOf::Bulk(at) => ("BULK", self.link(at), self.link_id(at), 1.0),
                ReactionOf::Wall(at) => ("WALL", self.link(at), self.link_id(at), length),
                ReactionOf::Tank(at) => ("TANK", self.node(at), self.node_id(at), 1.0),
            };
            let line = [word.to_owned(), name, written(reaction.value * factor)];
            self.add(S::Reactions, format!("reaction:{word}:{id}"), &line);
        }
        for mixing in &quality.mixing {
            let word = MIXING_WORDS.iter().find(|(_, model)| *model == mixing.model).map_or("MIXED", |(word, _)| word);
            let words = vec![self.node(mixing.node), word.to_owned(), mixing.share.map_or_else(String::new, written)];
            self.line(S::Mixing, format!("mixing:{}", self.node_id(mixing.node)), words);
        }
    }

    fn node_id(&self, at: usize) -> String {
        self.file.network.nodes.get(at).map(|n| n.id.clone()).unwrap_or_default()
    }

    fn link_id(&self, at: usize) -> String {
        self.file.network.links.get(at).map(|l| l.id.clone()).unwrap_or_default()
    }

    pub(super) fn drawing(&mut self) {
        let drawing = &self.file.drawing;
        for (at, place) in drawing.nodes.iter().enumerate() {
            if let Some([x, y]) = place {
                let words = [self.node(at), written(*x), written(*y)];
                self.add(S::Coordinates, format!("place:{}", self.node_id(at)), &words);
            }
        }
        for (at, bends) in drawing.links.iter().enumerate() {
            let name = self.link(at);
            let lines = bends.iter().map(|[x, y]| [name.clone(), written(*x), written(*y)].join("\t")).collect();
            self.add_lines(S::Vertices, format!("bends:{}", self.link_id(at)), lines);
        }
        let labels = (drawing.labels.iter())
            .map(|label| {
                let text = format!("\"{}\"", label.text.replace(['"', ';'], "'"));
                let mut words = vec![written(label.at[0]), written(label.at[1]), text];
                words.extend(label.rest.iter().map(|w| quoted(w)));
                words.join("\t")
            })
            .collect();
        self.add_lines(S::Labels, "labels".to_owned(), labels);
        self.add_lines(S::Backdrop, "backdrop".to_owned(), drawing.backdrop.clone());
        for (node, tag) in &drawing.node_tags {
            let words = ["NODE".to_owned(), self.node(*node), tag.clone()];
            self.add(S::Tags, format!("tag:NODE:{}", self.node_id(*node)), &words);
        }
        for (link, tag) in &drawing.link_tags {
            let words = ["LINK".to_owned(), self.link(*link), tag.clone()];
            self.add(S::Tags, format!("tag:LINK:{}", self.link_id(*link)), &words);
        }
        self.add_lines(S::Report, "report".to_owned(), self.file.settings.report.clone());
    }
}
