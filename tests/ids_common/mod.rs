//! Makes IDS files and the models to check them on.
#![allow(dead_code, unused_imports)]

mod table;

#[allow(unused_imports)]
pub use table::cases;

use plenum::import::{Limits, ids, ifc};
use plenum::site::ids::{Checker, Ids, Report};
use std::path::Path;

/// An IDS file with one specification.
pub fn specification(versions: &str, occurs: &str, applicability: &str, requirements: &str) -> String {
    let requirements =
        if requirements.is_empty() { String::new() } else { format!("<requirements>{requirements}</requirements>") };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ids xmlns=\"http://standards.buildingsmart.org/IDS\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n<info><title>Demands</title></info>\n<specifications>\n\
         <specification name=\"The demand\" ifcVersion=\"{versions}\" instructions=\"Add it\">\n\
         <applicability {occurs}>{applicability}</applicability>\n{requirements}\n</specification>\n\
         </specifications></ids>"
    )
}

/// `<simpleValue>`, escaped.
pub fn simple(value: &str) -> String {
    let value = value.replace('&', "&amp;").replace('<', "&lt;");
    format!("<simpleValue>{value}</simpleValue>")
}

/// `<xs:restriction>` of a base with what is in it: `pattern=A.*;minLength=2`.
pub fn restriction(base: &str, parts: &str) -> String {
    let parts: Vec<String> = parts
        .split(';')
        .map(|p| {
            let (name, value) = p.split_once('=').expect("name=value");
            format!("<xs:{name} value=\"{value}\"/>")
        })
        .collect();
    format!("<xs:restriction base=\"xs:{base}\">{}</xs:restriction>", parts.concat())
}

/// A value given as the text of a `<simpleValue>`, or as XML.
fn value(value: &str) -> String {
    if value.starts_with('<') { value.to_owned() } else { simple(value) }
}

fn part(name: &str, stated: &str) -> String {
    if stated.is_empty() { String::new() } else { format!("<{name}>{}</{name}>", value(stated)) }
}

/// `<entity>`.
pub fn entity(name: &str) -> String {
    format!("<entity>{}</entity>", part("name", name))
}

/// `<entity>` with a predefined type.
pub fn entity_of(name: &str, predefined: &str) -> String {
    format!("<entity>{}{}</entity>", part("name", name), part("predefinedType", predefined))
}

/// `<attribute>`.
pub fn attribute(name: &str, stated: &str) -> String {
    format!("<attribute>{}{}</attribute>", part("name", name), part("value", stated))
}

/// `<property>`.
pub fn property(set: &str, name: &str, data_type: &str, stated: &str) -> String {
    let data_type = if data_type.is_empty() { String::new() } else { format!(" dataType=\"{data_type}\"") };
    format!(
        "<property{data_type}>{}{}{}</property>",
        part("propertySet", set),
        part("baseName", name),
        part("value", stated)
    )
}

/// `<classification>`.
pub fn classification(system: &str, stated: &str) -> String {
    format!("<classification>{}{}</classification>", part("value", stated), part("system", system))
}

/// `<material>`.
pub fn material(stated: &str) -> String {
    format!("<material>{}</material>", part("value", stated))
}

/// `<partOf>`.
pub fn part_of(relation: &str, name: &str, predefined: &str) -> String {
    let relation = if relation.is_empty() { String::new() } else { format!(" relation=\"{relation}\"") };
    format!("<partOf{relation}>{}</partOf>", entity_of(name, predefined))
}

/// The same facet with a cardinality.
pub fn with(cardinality: &str, facet: &str) -> String {
    let end = facet.find([' ', '>']).expect("a tag");
    format!("{} cardinality=\"{cardinality}\"{}", &facet[..end], &facet[end..])
}

/// A STEP file.
pub fn model(schema: &str, records: &str) -> String {
    format!(
        "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n\
         FILE_SCHEMA(('{schema}'));\nENDSEC;\nDATA;\n{records}\nENDSEC;\nEND-ISO-10303-21;\n"
    )
}

/// Reads an IDS file that must be readable.
pub fn parse(text: &str) -> Ids {
    let (ids, _) = ids::parse("demand.ids", text.as_bytes().to_vec()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    ids
}

/// Checks files together.
pub fn check(ids: &Ids, files: &[&Path]) -> Report {
    let mut checker = Checker::new(ids);
    for file in files {
        let facts = ifc::facts(file, &Limits::default()).unwrap_or_else(|e| panic!("{e}"));
        assert!(checker.add(&facts, &|| false));
    }
    checker.finish()
}

/// Two walls (one with a type and everything else, one with nothing), a door in an opening, a pump in a system, a
/// space, a task. Lengths in millimetres, flows in litres a second, temperatures in °C.
pub const RECORDS: &str = "
#1=IFCPROJECT('0000000000000000000001',$,'The project',$,$,$,$,$,#2);
#2=IFCUNITASSIGNMENT((#3,#4,#5,#6));
#3=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#4=IFCSIUNIT(*,.AREAUNIT.,$,.SQUARE_METRE.);
#5=IFCSIUNIT(*,.THERMODYNAMICTEMPERATUREUNIT.,$,.DEGREE_CELSIUS.);
#6=IFCDERIVEDUNIT((#7,#8),.VOLUMETRICFLOWRATEUNIT.,$,$);
#7=IFCDERIVEDUNITELEMENT(#9,1);
#8=IFCDERIVEDUNITELEMENT(#10,-1);
#9=IFCSIUNIT(*,.VOLUMEUNIT.,.DECI.,.CUBIC_METRE.);
#10=IFCSIUNIT(*,.TIMEUNIT.,$,.SECOND.);
#11=IFCCONVERSIONBASEDUNIT($,.LENGTHUNIT.,'INCH',#12);
#12=IFCMEASUREWITHUNIT(IFCLENGTHMEASURE(25.4),#3);
#15=IFCBUILDING('0000000000000000000015',$,'House',$,$,$,$,$,$,$,$,$);
#16=IFCBUILDINGSTOREY('0000000000000000000016',$,'Level 1',$,$,$,$,$,$,3000.);
#17=IFCRELAGGREGATES('0000000000000000000017',$,$,$,#15,(#16));
#20=IFCWALL('0000000000000000000020',$,'Wall 1','Brick wall, plastered',$,$,$,'W-01',$);
#21=IFCWALL('0000000000000000000021',$,'W\\X2\\00E4\\X0\\nd 2','',$,$,$,$,.PARTITIONING.);
#22=IFCWALLTYPE('0000000000000000000022',$,'WT1',$,$,(#60,#66),$,$,$,.SHEAR.);
#23=IFCRELDEFINESBYTYPE('0000000000000000000023',$,$,$,(#20),#22);
#24=IFCRELCONTAINEDINSPATIALSTRUCTURE('0000000000000000000024',$,$,$,(#20,#21,#33),#16);
#30=IFCOPENINGELEMENT('0000000000000000000030',$,$,$,$,$,$,$,$);
#31=IFCRELVOIDSELEMENT('0000000000000000000031',$,$,$,#20,#30);
#32=IFCDOOR('0000000000000000000032',$,'Door',$,$,$,$,$,2100.,900.,$,$,$);
#33=IFCPUMP('0000000000000000000033',$,'Pump','Heating',$,$,$,'P-01',.USERDEFINED.);
#34=IFCRELFILLSELEMENT('0000000000000000000034',$,$,$,#30,#32);
#35=IFCSPACE('0000000000000000000035',$,'101','','Office',$,$,'Office east',.ELEMENT.,.INTERNAL.,$);
#36=IFCRELAGGREGATES('0000000000000000000036',$,$,$,#16,(#35));
#37=IFCTASK('0000000000000000000037',$,'Mow',$,$,$,$,$,$,.F.,3,$,$);
#38=IFCDISTRIBUTIONSYSTEM('0000000000000000000038',$,'Heating',$,$,$,.HEATING.);
#39=IFCRELASSIGNSTOGROUP('0000000000000000000039',$,$,$,(#33),$,#38);
#40=IFCPUMPTYPE('0000000000000000000040',$,'PT',$,$,$,$,$,'WETROTOR',.USERDEFINED.);
#41=IFCRELDEFINESBYTYPE('0000000000000000000041',$,$,$,(#33),#40);
#42=IFCSENSOR('0000000000000000000042',$,'Nested',$,$,$,$,$,.TEMPERATURESENSOR.);
#43=IFCRELNESTS('0000000000000000000043',$,$,$,#33,(#42));
#50=IFCPROPERTYSET('0000000000000000000050',$,'Pset_WallCommon',$,(#51,#52,#53,#54,#55,#56,#57,#58,#59));
#51=IFCPROPERTYSINGLEVALUE('FireRating',$,IFCLABEL('EI60'),$);
#52=IFCPROPERTYSINGLEVALUE('IsExternal',$,IFCBOOLEAN(.T.),$);
#53=IFCPROPERTYSINGLEVALUE('Width',$,IFCPOSITIVELENGTHMEASURE(240.),$);
#54=IFCPROPERTYSINGLEVALUE('Count',$,IFCINTEGER(3),$);
#55=IFCPROPERTYSINGLEVALUE('Empty',$,IFCLABEL(''),$);
#56=IFCPROPERTYSINGLEVALUE('Unset',$,$,$);
#57=IFCPROPERTYSINGLEVALUE('Depth',$,IFCLENGTHMEASURE(10.),#11);
#58=IFCPROPERTYENUMERATEDVALUE('Status',$,(IFCLABEL('NEW'),IFCLABEL('DEMOLISH')),$);
#59=IFCPROPERTYSINGLEVALUE('Maybe',$,IFCLOGICAL(.U.),$);
#60=IFCPROPERTYSET('0000000000000000000060',$,'Pset_WallCommon',$,(#61,#62));
#61=IFCPROPERTYSINGLEVALUE('FireRating',$,IFCLABEL('EI30'),$);
#62=IFCPROPERTYSINGLEVALUE('AcousticRating',$,IFCLABEL('55'),$);
#63=IFCRELDEFINESBYPROPERTIES('0000000000000000000063',$,$,$,(#20),#50);
#64=IFCELEMENTQUANTITY('0000000000000000000064',$,'Qto_WallBaseQuantities',$,$,(#67,#68,#69));
#65=IFCRELDEFINESBYPROPERTIES('0000000000000000000065',$,$,$,(#20),#64);
#66=IFCPROPERTYSET('0000000000000000000066',$,'Own',$,(#70,#71,#72,#73,#74,#75));
#67=IFCQUANTITYLENGTH('Length',$,$,5000.,$);
#68=IFCQUANTITYAREA('NetSideArea',$,$,12.5,$);
#69=IFCQUANTITYCOUNT('Bricks',$,$,1200,$);
#70=IFCPROPERTYBOUNDEDVALUE('Range',$,IFCLENGTHMEASURE(5000.),IFCLENGTHMEASURE(1000.),$,$);
#71=IFCPROPERTYLISTVALUE('List',$,(IFCREAL(1.),IFCREAL(2.)),$);
#72=IFCPROPERTYTABLEVALUE('Table',$,(IFCLABEL('a')),(IFCLENGTHMEASURE(1000.)),$,$,$,$);
#73=IFCPROPERTYSINGLEVALUE('Flow',$,IFCVOLUMETRICFLOWRATEMEASURE(5.),$);
#74=IFCPROPERTYSINGLEVALUE('Supply',$,IFCTHERMODYNAMICTEMPERATUREMEASURE(20.),$);
#75=IFCPROPERTYSINGLEVALUE('Built',$,IFCDATE('2020-05-01'),$);
#80=IFCMATERIAL('Brick',$,'brick');
#81=IFCMATERIAL('Plaster',$,$);
#82=IFCMATERIALLAYER(#80,200.,$,'Core',$,'LoadBearing',$);
#83=IFCMATERIALLAYER(#81,20.,$,$,$,$,$);
#84=IFCMATERIALLAYERSET((#82,#83),'Brick wall',$);
#85=IFCRELASSOCIATESMATERIAL('0000000000000000000085',$,$,$,(#22),#84);
#86=IFCMATERIAL('Cast iron',$,'steel');
#87=IFCRELASSOCIATESMATERIAL('0000000000000000000087',$,$,$,(#33),#86);
#90=IFCCLASSIFICATION($,$,$,'Uniclass 2015',$,$,$);
#91=IFCCLASSIFICATIONREFERENCE($,'EF_25_10',$,#90,$,$);
#92=IFCCLASSIFICATIONREFERENCE($,'EF_25_10_25',$,#91,$,$);
#93=IFCRELASSOCIATESCLASSIFICATION('0000000000000000000093',$,$,$,(#20),#92);
#94=IFCCLASSIFICATION($,$,$,'OmniClass',$,$,$);
#95=IFCCLASSIFICATIONREFERENCE($,'23-27',$,#94,$,$);
#96=IFCRELASSOCIATESCLASSIFICATION('0000000000000000000096',$,$,$,(#22,#33),#95);
#97=IFCDOORPANELPROPERTIES('0000000000000000000097',$,'Panel',$,40.,.SWINGING.,0.5,.LEFT.,$);
#98=IFCRELDEFINESBYPROPERTIES('0000000000000000000098',$,$,$,(#32),#97);
#99=IFCMATERIALPROPERTIES('Pset_MaterialCommon',$,(#100),#80);
#100=IFCPROPERTYSINGLEVALUE('MassDensity',$,IFCMASSDENSITYMEASURE(1800.),$);
";

/// A pump of IFC2X3.
pub const OLD_RECORDS: &str = "
#1=IFCPROJECT('0000000000000000000001',$,'Old',$,$,$,$,$,$);
#2=IFCFLOWMOVINGDEVICE('0000000000000000000002',$,'Pump',$,$,$,$,'P-1');
#3=IFCPUMPTYPE('0000000000000000000003',$,'PT',$,$,$,$,$,$,.CIRCULATOR.);
#4=IFCRELDEFINESBYTYPE('0000000000000000000004',$,$,$,(#2),#3);
";
