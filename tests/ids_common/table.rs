//! Facet by kind of value by outcome, on the model of [`super::RECORDS`].

use super::*;

/// Name, applicability, requirement, and how many of how many objects meet it.
type Case = (&'static str, String, String, (usize, usize));

/// The table.
pub fn cases() -> Vec<Case> {
    let mut all = entities();
    all.extend(attributes());
    all.extend(properties());
    all.extend(classifications());
    all.extend(materials());
    all.extend(wholes());
    all.extend(applicabilities());
    all
}

fn wall() -> String {
    entity("IFCWALL")
}

/// The wall that has everything.
fn wall_1() -> String {
    format!("{}{}", wall(), attribute("Tag", "W-01"))
}

fn one_of(values: &str) -> String {
    restriction("string", &format!("enumeration={}", values.replace(',', ";enumeration=")))
}

fn pattern(pattern: &str) -> String {
    restriction("string", &format!("pattern={pattern}"))
}

fn range(parts: &str) -> String {
    restriction("double", parts)
}

fn entities() -> Vec<Case> {
    let pump = || entity("IFCPUMP");
    vec![
        ("class", wall(), entity("IFCWALL"), (2, 2)),
        ("class of an enumeration", wall(), entity(&one_of("IFCWALL,IFCSLAB")), (2, 2)),
        ("class of a pattern", wall(), entity(&pattern("IFC(WALL|SLAB)")), (2, 2)),
        ("pattern is of the whole word", wall(), entity(&pattern("WALL")), (0, 2)),
        ("subtypes are not meant", entity("IFCBUILDINGELEMENT"), String::new(), (0, 0)),
        ("own predefined type", wall(), entity_of("IFCWALL", "PARTITIONING"), (1, 2)),
        ("predefined type of the type", wall(), entity_of("IFCWALL", "SHEAR"), (1, 2)),
        ("predefined types in capitals", wall(), entity_of("IFCWALL", "shear"), (0, 2)),
        ("one of two predefined types", wall(), entity_of("IFCWALL", &one_of("SHEAR,PARTITIONING")), (2, 2)),
        ("what stands behind USERDEFINED", pump(), entity_of("IFCPUMP", "WETROTOR"), (1, 1)),
        ("USERDEFINED itself", pump(), entity_of("IFCPUMP", "USERDEFINED"), (1, 1)),
        ("not another user's type", pump(), entity_of("IFCPUMP", "DRYROTOR"), (0, 1)),
        ("types are objects too", entity("IFCPUMPTYPE"), entity_of("IFCPUMPTYPE", "WETROTOR"), (1, 1)),
        ("no predefined type", entity("IFCTASK"), entity_of("IFCTASK", "OPERATION"), (0, 1)),
    ]
}

fn attributes() -> Vec<Case> {
    let door = || entity("IFCDOOR");
    let task = || entity("IFCTASK");
    vec![
        ("attribute is there", wall(), attribute("Name", ""), (2, 2)),
        ("attribute is unset", wall(), attribute("Tag", ""), (1, 2)),
        ("attribute is an empty text", wall(), attribute("Description", ""), (1, 2)),
        ("attribute by value", wall(), attribute("Name", "Wall 1"), (1, 2)),
        ("case counts", wall(), attribute("Name", "wall 1"), (0, 2)),
        ("letters beyond ASCII", wall(), attribute("Name", "Wänd 2"), (1, 2)),
        ("no such attribute", wall(), attribute("OverallHeight", ""), (0, 2)),
        ("one of several values", wall(), attribute("Name", &one_of("Wall 1,Wänd 2")), (2, 2)),
        ("pattern", wall(), attribute("Name", &pattern("W.+ [0-9]")), (2, 2)),
        ("pattern that does not fit", wall(), attribute("Tag", &pattern("W-[0-9]{3}")), (0, 2)),
        ("length", wall(), attribute("Tag", &restriction("string", "length=4")), (1, 2)),
        ("least length", wall(), attribute("Name", &restriction("string", "minLength=7")), (0, 2)),
        ("most length", wall(), attribute("Name", &restriction("string", "maxLength=6")), (2, 2)),
        ("name by a pattern", wall(), attribute(&pattern("Na.*"), "Wall 1"), (1, 2)),
        ("number in SI", door(), attribute("OverallHeight", "2.1"), (1, 1)),
        ("number in the file's unit", door(), attribute("OverallHeight", "2100"), (0, 1)),
        ("number in a range", door(), attribute("OverallHeight", &range("minInclusive=2;maxExclusive=2.2")), (1, 1)),
        ("number out of a range", door(), attribute("OverallWidth", &range("minInclusive=1")), (0, 1)),
        ("storey's height", entity("IFCBUILDINGSTOREY"), attribute("Elevation", "3."), (1, 1)),
        ("false is a value", task(), attribute("IsMilestone", ""), (1, 1)),
        ("false", task(), attribute("IsMilestone", "false"), (1, 1)),
        ("truth in capitals", task(), attribute("IsMilestone", "FALSE"), (0, 1)),
        ("whole number", task(), attribute("Priority", "3"), (1, 1)),
        ("whole number with a point", task(), attribute("Priority", "3.0"), (0, 1)),
        ("GlobalId", wall(), attribute("GlobalId", &pattern("0{20}2[01]")), (2, 2)),
        ("word of an enumeration", wall(), attribute("PredefinedType", "PARTITIONING"), (1, 2)),
        ("reference is there", entity("IFCPROJECT"), attribute("UnitsInContext", ""), (1, 1)),
        ("reference has no value", entity("IFCPROJECT"), attribute("UnitsInContext", "x"), (0, 1)),
        ("optional and unset", wall(), with("optional", &attribute("Tag", "W-01")), (2, 2)),
        ("optional and wrong", wall(), with("optional", &attribute("Tag", "W-02")), (1, 2)),
        ("optional and empty", wall(), with("optional", &attribute("Description", &pattern(".+"))), (1, 2)),
        ("prohibited and unset", wall(), with("prohibited", &attribute("Tag", "")), (1, 2)),
        ("prohibited value", wall(), with("prohibited", &attribute("Name", "Wall 1")), (1, 2)),
        ("long name of a space", entity("IFCSPACE"), attribute("LongName", "Office east"), (1, 1)),
    ]
}

fn properties() -> Vec<Case> {
    let p = |name: &str, kind: &str, value: &str| property("Pset_WallCommon", name, kind, value);
    let own = |name: &str, kind: &str, value: &str| property("Own", name, kind, value);
    let q = |name: &str, kind: &str, value: &str| property("Qto_WallBaseQuantities", name, kind, value);
    let w = wall_1;
    vec![
        ("property is there", wall(), p("FireRating", "", ""), (1, 2)),
        ("property by value", w(), p("FireRating", "IFCLABEL", "EI60"), (1, 1)),
        ("own overrides the type's", w(), p("FireRating", "IFCLABEL", "EI30"), (0, 1)),
        ("inherited from the type", w(), p("AcousticRating", "IFCLABEL", "55"), (1, 1)),
        ("text is no number", w(), p("AcousticRating", "IFCLABEL", "55.0"), (0, 1)),
        ("other type of value", w(), p("FireRating", "IFCTEXT", ""), (0, 1)),
        ("no such set", w(), property("Pset_Wall", "FireRating", "", ""), (0, 1)),
        ("no such property", w(), p("Firerating", "", ""), (0, 1)),
        ("set by a pattern", w(), property(&pattern("Pset_.*"), "FireRating", "IFCLABEL", "EI60"), (1, 1)),
        ("every set of the pattern must have it", w(), property(&pattern(".*"), "FireRating", "", ""), (0, 1)),
        ("every property of the pattern must fit", w(), p(&pattern(".*Rating"), "IFCLABEL", "EI60"), (0, 1)),
        ("property by one of several names", w(), p(&one_of("FireRating,Fire"), "IFCLABEL", "EI60"), (1, 1)),
        ("true", w(), p("IsExternal", "IFCBOOLEAN", "true"), (1, 1)),
        ("not true", w(), p("IsExternal", "IFCBOOLEAN", "false"), (0, 1)),
        ("unknown is no value", w(), p("Maybe", "IFCLOGICAL", ""), (0, 1)),
        ("empty text is no value", w(), p("Empty", "IFCLABEL", ""), (0, 1)),
        ("unset is no value", w(), p("Unset", "", ""), (0, 1)),
        ("length in metres", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", "0.24"), (1, 1)),
        ("length in millimetres", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", "240"), (0, 1)),
        ("the type of measure counts", w(), p("Width", "IFCLENGTHMEASURE", "0.24"), (0, 1)),
        ("a unit of its own", w(), p("Depth", "IFCLENGTHMEASURE", "0.254"), (1, 1)),
        ("rounding does not count", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", "0.2400009"), (1, 1)),
        ("more than rounding does", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", "0.24001"), (0, 1)),
        ("range", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", &range("minInclusive=0.2;maxInclusive=0.3")), (1, 1)),
        ("end of a range included", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", &range("maxInclusive=0.24")), (1, 1)),
        ("end of a range excluded", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", &range("maxExclusive=0.24")), (0, 1)),
        (
            "one of several numbers",
            w(),
            p("Width", "IFCPOSITIVELENGTHMEASURE", &range("enumeration=0.2;enumeration=0.24")),
            (1, 1),
        ),
        ("pattern on a number", w(), p("Width", "IFCPOSITIVELENGTHMEASURE", &pattern("0.24")), (0, 1)),
        ("whole number", w(), p("Count", "IFCINTEGER", "3"), (1, 1)),
        ("range of whole numbers", w(), p("Count", "IFCINTEGER", &restriction("integer", "minExclusive=3")), (0, 1)),
        ("one of the enumerated", w(), p("Status", "IFCLABEL", "DEMOLISH"), (1, 1)),
        ("none of the enumerated", w(), p("Status", "IFCLABEL", "EXISTING"), (0, 1)),
        ("bounded value", w(), own("Range", "IFCLENGTHMEASURE", "5"), (1, 1)),
        ("between the bounds", w(), own("Range", "IFCLENGTHMEASURE", "3"), (0, 1)),
        ("one of a list", w(), own("List", "IFCREAL", "2"), (1, 1)),
        ("none of a list", w(), own("List", "IFCREAL", "3"), (0, 1)),
        ("left of a table", w(), own("Table", "IFCLABEL", "a"), (1, 1)),
        ("right of a table", w(), own("Table", "IFCLENGTHMEASURE", "1"), (1, 1)),
        ("flow in m³/s", w(), own("Flow", "IFCVOLUMETRICFLOWRATEMEASURE", "0.005"), (1, 1)),
        ("temperature in K", w(), own("Supply", "IFCTHERMODYNAMICTEMPERATUREMEASURE", "293.15"), (1, 1)),
        ("date", w(), own("Built", "IFCDATE", "2020-05-01"), (1, 1)),
        (
            "date in a range",
            w(),
            own("Built", "IFCDATE", &restriction("date", "minInclusive=2020-01-01;maxExclusive=2021-01-01")),
            (1, 1),
        ),
        ("date out of a range", w(), own("Built", "IFCDATE", &restriction("date", "minInclusive=2021-01-01")), (0, 1)),
        ("quantity of length", w(), q("Length", "IFCLENGTHMEASURE", "5"), (1, 1)),
        ("quantity of area", w(), q("NetSideArea", "IFCAREAMEASURE", "12.5"), (1, 1)),
        ("quantity of another kind", w(), q("NetSideArea", "IFCVOLUMEMEASURE", ""), (0, 1)),
        ("quantity of count", w(), q("Bricks", "IFCCOUNTMEASURE", "1200"), (1, 1)),
        (
            "predefined set",
            entity("IFCDOOR"),
            property("Panel", "PanelOperation", "IFCDOORPANELOPERATIONENUM", "SWINGING"),
            (1, 1),
        ),
        (
            "length in a predefined set",
            entity("IFCDOOR"),
            property("Panel", "PanelDepth", "IFCPOSITIVELENGTHMEASURE", "0.04"),
            (1, 1),
        ),
        (
            "share in a predefined set",
            entity("IFCDOOR"),
            property("Panel", "PanelWidth", "IFCNORMALISEDRATIOMEASURE", "0.5"),
            (1, 1),
        ),
        ("property of a type", entity("IFCWALLTYPE"), p("FireRating", "IFCLABEL", "EI30"), (1, 1)),
        (
            "property of a material",
            entity("IFCMATERIAL"),
            property("Pset_MaterialCommon", "MassDensity", "IFCMASSDENSITYMEASURE", "1800"),
            (1, 3),
        ),
        ("optional and not there", wall(), with("optional", &p("FireRating", "IFCLABEL", "EI60")), (2, 2)),
        ("optional and wrong", wall(), with("optional", &p("FireRating", "IFCLABEL", "EI90")), (1, 2)),
        ("prohibited and there", wall(), with("prohibited", &p("FireRating", "", "")), (1, 2)),
        ("prohibited and unset", w(), with("prohibited", &p("Unset", "", "")), (0, 1)),
    ]
}

fn classifications() -> Vec<Case> {
    let c = classification;
    vec![
        ("classified", wall(), c(&pattern(".+"), ""), (1, 2)),
        ("by a system", wall(), c("Uniclass 2015", ""), (1, 2)),
        ("by the type's system", wall(), c("OmniClass", "23-27"), (1, 2)),
        ("system by its whole name", wall(), c("Uniclass", ""), (0, 2)),
        ("code", wall_1(), c("Uniclass 2015", "EF_25_10_25"), (1, 1)),
        ("code above it", wall_1(), c("Uniclass 2015", "EF_25_10"), (1, 1)),
        ("code of another system", wall_1(), c("OmniClass", "EF_25_10"), (0, 1)),
        ("code by a pattern", wall_1(), c("Uniclass 2015", &pattern("EF_25(_[0-9]+)*")), (1, 1)),
        ("one of several codes", wall_1(), c("Uniclass 2015", &one_of("EF_30,EF_25_10_25")), (1, 1)),
        ("optional and not there", wall(), with("optional", &c("Uniclass 2015", "EF_25_10")), (2, 2)),
        ("optional and wrong", wall(), with("optional", &c("Uniclass 2015", "EF_30")), (1, 2)),
        ("prohibited", wall(), with("prohibited", &c("Uniclass 2015", "")), (1, 2)),
    ]
}

fn materials() -> Vec<Case> {
    let pump = || entity("IFCPUMP");
    vec![
        ("any material", wall(), material(""), (1, 2)),
        ("name of a material", pump(), material("Cast iron"), (1, 1)),
        ("category of a material", pump(), material("steel"), (1, 1)),
        ("other material", pump(), material("Brick"), (0, 1)),
        ("name of the layer set, of the type", wall_1(), material("Brick wall"), (1, 1)),
        ("material of a layer", wall_1(), material("Plaster"), (1, 1)),
        ("name of a layer", wall_1(), material("Core"), (1, 1)),
        ("category of a layer", wall_1(), material("LoadBearing"), (1, 1)),
        ("pattern", wall_1(), material(&pattern("Pl.*")), (1, 1)),
        ("one of several", wall_1(), material(&one_of("concrete,brick")), (1, 1)),
        ("optional and none", wall(), with("optional", &material("brick")), (2, 2)),
        ("optional and wrong", wall(), with("optional", &material("concrete")), (1, 2)),
        ("prohibited", wall(), with("prohibited", &material("brick")), (1, 2)),
    ]
}

fn wholes() -> Vec<Case> {
    let contained = "IFCRELCONTAINEDINSPATIALSTRUCTURE";
    let group = "IFCRELASSIGNSTOGROUP";
    let opening = "IFCRELVOIDSELEMENT IFCRELFILLSELEMENT";
    let pump = || entity("IFCPUMP");
    vec![
        ("contained", wall(), part_of(contained, "IFCBUILDINGSTOREY", ""), (2, 2)),
        ("contained in something else", wall(), part_of(contained, "IFCSPACE", ""), (0, 2)),
        ("one relation only", wall(), part_of(contained, "IFCBUILDING", ""), (0, 2)),
        ("any relation", wall(), part_of("", "IFCBUILDING", ""), (2, 2)),
        ("aggregated", entity("IFCSPACE"), part_of("IFCRELAGGREGATES", "IFCBUILDING", ""), (1, 1)),
        ("in a system", pump(), part_of(group, "IFCDISTRIBUTIONSYSTEM", ""), (1, 1)),
        ("in a system of a type", pump(), part_of(group, "IFCDISTRIBUTIONSYSTEM", "HEATING"), (1, 1)),
        ("in a system of another type", pump(), part_of(group, "IFCDISTRIBUTIONSYSTEM", "CHILLEDWATER"), (0, 1)),
        ("subtypes of groups are not meant", pump(), part_of(group, "IFCSYSTEM", ""), (0, 1)),
        ("nested", entity("IFCSENSOR"), part_of("IFCRELNESTS", "IFCPUMP", "WETROTOR"), (1, 1)),
        ("nested in a system's member", entity("IFCSENSOR"), part_of("", "IFCDISTRIBUTIONSYSTEM", ""), (1, 1)),
        ("door in a wall", entity("IFCDOOR"), part_of(opening, "IFCWALL", ""), (1, 1)),
        ("prohibited", wall(), with("prohibited", &part_of("", "IFCBUILDING", "")), (0, 2)),
        ("prohibited and not so", wall(), with("prohibited", &part_of(group, "IFCZONE", "")), (2, 2)),
    ]
}

/// Facets that say which objects are meant.
fn applicabilities() -> Vec<Case> {
    let name = || attribute("Name", "");
    vec![
        ("for a property", property("Pset_WallCommon", "FireRating", "", ""), name(), (2, 2)),
        ("for a class and a property", wall() + &property("Pset_WallCommon", "FireRating", "", ""), name(), (1, 1)),
        ("for a material", material("steel"), entity("IFCPUMP"), (1, 1)),
        ("for a classification", classification("OmniClass", ""), name(), (3, 3)),
        ("for a whole", part_of("IFCRELCONTAINEDINSPATIALSTRUCTURE", "IFCBUILDINGSTOREY", ""), name(), (3, 3)),
        ("for an attribute", attribute("Tag", ""), name(), (2, 2)),
        ("for a predefined type", entity_of("IFCWALL", "SHEAR"), attribute("Tag", "W-01"), (1, 1)),
        ("all requirements must hold", wall(), name() + &attribute("Tag", ""), (1, 2)),
        ("no requirement", wall(), String::new(), (2, 2)),
    ]
}
