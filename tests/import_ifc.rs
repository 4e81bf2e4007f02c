//! IFC files made here: what must be read of them, and what must be survived.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::watched;
use plenum::import::{self, Limits, Progress};
use plenum::site::model::{ElementKind, FlowDirection, Model, PropertyValue};
use plenum::{Problem, Severity};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;

/// A plant room in millimetres: three equal pipes and a longer one, a pump, a space, systems, ports, sets.
fn plant() -> String {
    let mut text = String::from(
        "ISO-10303-21;
HEADER;
FILE_DESCRIPTION(('ViewDefinition [ReferenceView]'),'2;1');
FILE_NAME('plant.ifc','2026-05-11T06:00:00',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));
ENDSEC;
DATA;
#1=IFCPROJECT('0Proj00000000000000001',$,'Plant',$,$,$,$,(#10),#20);
#10=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#11,$);
#11=IFCAXIS2PLACEMENT3D(#12,$,$);
#12=IFCCARTESIANPOINT((0.,0.,0.));
#20=IFCUNITASSIGNMENT((#21,#22));
#21=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#22=IFCSIUNIT(*,.PLANEANGLEUNIT.,$,.RADIAN.);
#30=IFCSITE('0Site00000000000000001',$,'Site',$,$,#31,$,$,.ELEMENT.,$,$,$,$,$);
#31=IFCLOCALPLACEMENT($,#11);
#32=IFCBUILDING('0Bldg00000000000000001',$,'Clinic',$,$,#33,$,$,.ELEMENT.,$,$,$);
#33=IFCLOCALPLACEMENT(#31,#11);
#34=IFCBUILDINGSTOREY('0Stor00000000000000001',$,'Roof plant',$,$,#35,$,$,.ELEMENT.,14000.);
#35=IFCLOCALPLACEMENT(#33,#36);
#36=IFCAXIS2PLACEMENT3D(#37,$,$);
#37=IFCCARTESIANPOINT((0.,0.,14000.));
#40=IFCRELAGGREGATES('0Aggr00000000000000001',$,$,$,#1,(#30));
#41=IFCRELAGGREGATES('0Aggr00000000000000002',$,$,$,#30,(#32));
#42=IFCRELAGGREGATES('0Aggr00000000000000003',$,$,$,#32,(#34));
#43=IFCRELAGGREGATES('0Aggr00000000000000004',$,$,$,#34,(#50));
#50=IFCSPACE('0Spac00000000000000001',$,'R.01',$,$,#35,$,'Plant room',.ELEMENT.,.INTERNAL.,$);
#60=IFCCIRCLEHOLLOWPROFILEDEF(.AREA.,$,#61,50.,4.);
#61=IFCAXIS2PLACEMENT2D(#62,$);
#62=IFCCARTESIANPOINT((0.,0.));
#63=IFCDIRECTION((0.,0.,1.));
#64=IFCDIRECTION((0.,1.,0.));
#65=IFCDIRECTION((1.,0.,0.));
#66=IFCDIRECTION((0.6,0.8,0.));
#67=IFCDIRECTION((0.,0.,1.));
",
    );
    // Each pipe has its own geometry records, its own place and its own turn; only the last is longer.
    let axes = ["#65", "#64", "#66", "#65"];
    for (i, axis) in axes.iter().enumerate() {
        let (n, length) = (100 + 20 * i, if i == 3 { 3500.0 } else { 2000.0 });
        text += &format!(
            "#{n}=IFCPIPESEGMENT('0Pipe0000000000000000{i}',$,'Pipe {i}','a pipe',$,#{a},#{b},'P-{i}',.RIGIDSEGMENT.);
#{a}=IFCLOCALPLACEMENT(#35,#{c});
#{c}=IFCAXIS2PLACEMENT3D(#{d},{axis},#67);
#{d}=IFCCARTESIANPOINT(({x}.,{y}.,500.));
#{b}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{e}));
#{e}=IFCSHAPEREPRESENTATION(#10,'Body','SweptSolid',(#{f}));
#{f}=IFCEXTRUDEDAREASOLID(#60,#11,#63,{length});
",
            a = n + 1,
            b = n + 2,
            c = n + 3,
            d = n + 4,
            e = n + 5,
            f = n + 6,
            x = 1000 + i * 3000,
            y = i * 777,
        );
    }
    text += "#200=IFCPUMP('0Pump00000000000000001',$,'Pump',$,$,#201,$,'CHWP-1',.NOTDEFINED.);
#201=IFCLOCALPLACEMENT(#35,#36);
#202=IFCPUMPTYPE('0PTyp00000000000000001',$,'Circulator 5 kW',$,$,(#210),$,$,$,.CIRCULATOR.);
#203=IFCRELDEFINESBYTYPE('0RTyp00000000000000001',$,$,$,(#200),#202);
#204=IFCSENSOR('0Sens00000000000000001',$,'Sensor',$,$,#201,$,'TS-1',.TEMPERATURESENSOR.);
#205=IFCRELFLOWCONTROLELEMENTS('0RCon00000000000000001',$,$,$,(#204),#200);
#206=IFCRELCONTAINEDINSPATIALSTRUCTURE('0RIn000000000000000001',$,$,$,(#100,#120,#140,#160),#34);
#207=IFCRELCONTAINEDINSPATIALSTRUCTURE('0RIn000000000000000002',$,$,$,(#200,#204),#50);
#210=IFCPROPERTYSET('0Pset00000000000000001',$,'Pset_PumpTypeCommon',$,(#211,#212,#213,#214));
#211=IFCPROPERTYSINGLEVALUE('FlowRateRange',$,IFCVOLUMETRICFLOWRATEMEASURE(3),$);
#212=IFCPROPERTYSINGLEVALUE('Reference',$,IFCIDENTIFIER('P5'),$);
#213=IFCPROPERTYSINGLEVALUE('IsVariable',$,IFCBOOLEAN(.T.),$);
#214=IFCPROPERTYENUMERATEDVALUE('Status',$,(IFCLABEL('NEW')),$);
#215=IFCELEMENTQUANTITY('0Qto000000000000000001',$,'Qto_PumpBaseQuantities',$,$,(#216));
#216=IFCQUANTITYWEIGHT('GrossWeight',$,$,85.5,$);
#217=IFCRELDEFINESBYPROPERTIES('0RPro00000000000000001',$,$,$,(#200),#215);
#220=IFCDISTRIBUTIONSYSTEM('0Syst00000000000000001',$,'CHW','','',$,.CHILLEDWATER.);
#221=IFCRELASSIGNSTOGROUP('0RSys00000000000000001',$,$,$,(#100,#120,#200),$,#220);
#222=IFCZONE('0Zone00000000000000001',$,'Plant',$,$,$);
#223=IFCRELASSIGNSTOGROUP('0RZon00000000000000001',$,$,$,(#50),$,#222);
#230=IFCDISTRIBUTIONPORT('0Port00000000000000001',$,'out',$,$,#231,$,.SOURCE.,.PIPE.,.CHILLEDWATER.);
#231=IFCLOCALPLACEMENT(#101,#232);
#232=IFCAXIS2PLACEMENT3D(#233,$,$);
#233=IFCCARTESIANPOINT((0.,0.,2000.));
#234=IFCDISTRIBUTIONPORT('0Port00000000000000002',$,'in',$,$,$,$,.SINK.,.PIPE.,$);
#235=IFCRELNESTS('0RNes00000000000000001',$,$,$,#100,(#230));
#236=IFCRELCONNECTSPORTTOELEMENT('0RPtE00000000000000001',$,$,$,#234,#200);
#237=IFCRELCONNECTSPORTS('0RCpo00000000000000001',$,$,$,#230,#234,$);
#240=IFCMATERIAL('Steel',$,$);
#241=IFCRELASSOCIATESMATERIAL('0RMat00000000000000001',$,$,$,(#100,#202),#240);
#242=IFCCLASSIFICATION($,$,$,'Uniclass 2015',$,$,$);
#243=IFCCLASSIFICATIONREFERENCE($,'Pr_65_52_63','Pipes',#242,$,$);
#244=IFCRELASSOCIATESCLASSIFICATION('0RCla00000000000000001',$,$,$,(#100),#243);
#250=IFCMAPCONVERSION(#10,#251,2683141.2,1247400.6,408.,0.866025403784439,0.5,0.001);
#251=IFCPROJECTEDCRS('EPSG:2056',$,$,$,$,$,#252);
#252=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);
ENDSEC;
END-ISO-10303-21;
";
    text
}

fn read_bytes_as(bytes: &[u8], name: &str, limits: &Limits) -> Result<(Model, Vec<Problem>), Problem> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let limits = limits.clone();
    watched("reading", move || import::read_within(&path, &limits, &Progress::default()))
}

fn read(text: &str) -> Result<(Model, Vec<Problem>), Problem> {
    read_bytes_as(text.as_bytes(), "plant.ifc", &Limits::default())
}

fn refused(bytes: &[u8], name: &str) -> String {
    let problem = read_bytes_as(bytes, name, &Limits::default()).unwrap_err();
    assert_eq!(problem.severity, Severity::Error);
    assert!(!problem.remedy.is_empty() && problem.place.contains(name), "{problem}");
    problem.to_string()
}

#[test]
fn everything_a_plant_room_says() {
    let (model, problems) = read(&plant()).unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!((model.schema.as_str(), model.kind.as_str()), ("IFC4", "ifc"));
    assert_eq!(model.counted().count(), 6);
    let at = |id: &str| model.elements.iter().position(|e| e.id == id).unwrap();
    let (pipe, pump, sensor) =
        (at("0Pipe00000000000000000"), at("0Pump00000000000000001"), at("0Sens00000000000000001"));
    let space = at("0Spac00000000000000001");

    let e = &model.elements[pipe];
    assert_eq!((e.class.as_str(), e.tag.as_str(), e.description.as_str()), ("IfcPipeSegment", "P-0", "a pipe"));
    assert_eq!((e.predefined_type.as_str(), e.storey, e.space), ("RIGIDSEGMENT", Some(0), None));
    assert_eq!((&e.systems[..], &e.materials[..]), (&[0][..], &["Steel".to_owned()][..]));
    assert_eq!(e.classification, ["Uniclass 2015: Pr_65_52_63"]);
    // Along X from (1, 0, 14.5) m for 2 m, 50 mm in radius.
    let bounds = e.bounds.unwrap();
    assert!((bounds.min - glam::DVec3::new(1.0, -0.05, 14.45)).abs().max_element() < 1e-3, "{bounds:?}");
    assert!((bounds.max - glam::DVec3::new(3.0, 0.05, 14.55)).abs().max_element() < 1e-3, "{bounds:?}");

    let e = &model.elements[pump];
    assert_eq!((e.type_name.as_str(), e.predefined_type.as_str()), ("Circulator 5 kW", "CIRCULATOR"));
    assert_eq!((e.space, e.storey, e.shape, e.bounds), (Some(space as u32), Some(0), None, None));
    assert_eq!(e.materials, ["Steel"], "from its type");
    let sets: Vec<(&str, bool)> = e.properties.iter().map(|s| (s.name.as_str(), s.quantities)).collect();
    assert_eq!(sets, [("Qto_PumpBaseQuantities", true), ("Pset_PumpTypeCommon", false)]);
    assert_eq!(e.property("Qto_PumpBaseQuantities", "GrossWeight"), Some(&PropertyValue::Real(85.5)));
    assert_eq!(e.property("Pset_PumpTypeCommon", "FlowRateRange"), Some(&PropertyValue::Real(3.0)));
    assert_eq!(e.property("Pset_PumpTypeCommon", "IsVariable"), Some(&PropertyValue::Boolean(true)));
    assert_eq!(
        e.property("Pset_PumpTypeCommon", "Status"),
        Some(&PropertyValue::List(vec![PropertyValue::Text("NEW".into())]))
    );
    assert_eq!(model.elements[sensor].host, Some(pump as u32));

    let s = &model.elements[space];
    assert_eq!((s.kind, s.name.as_str(), s.description.as_str()), (ElementKind::Space, "R.01", "Plant room"));
    assert_eq!(s.storey, Some(0));
    assert_eq!((model.storeys[0].name.as_str(), model.storeys[0].elevation_m), ("Roof plant", 14.0));
    assert_eq!(model.storeys[0].building, "Clinic");
    assert_eq!((model.zones.len(), &model.zones[0].members[..]), (1, &[space as u32][..]));
    assert_eq!((model.systems.len(), model.systems[0].predefined_type.as_str()), (1, "CHILLEDWATER"));

    let [out, inn] = &model.connection_points[..] else { panic!("{:?}", model.connection_points) };
    assert_eq!((out.element, out.direction, out.medium.as_str()), (pipe as u32, FlowDirection::Source, "CHILLEDWATER"));
    assert!((out.location.unwrap() - glam::DVec3::new(3.0, 0.0, 14.5)).length() < 1e-9, "{:?}", out.location);
    assert_eq!((inn.element, inn.direction, inn.location), (pump as u32, FlowDirection::Sink, None));
    assert_eq!(inn.medium, "CHILLEDWATER", "its element's only system says so");
    assert_eq!((model.connections.len(), model.connections[0].from, model.connections[0].to), (1, 0, 1));

    let g = model.georeference.unwrap();
    assert_eq!((g.crs.as_str(), g.origin_m), ("EPSG:2056", [2_683_141.2, 1_247_400.6, 408.0]));
    assert!((g.rotation_deg - 30.0).abs() < 1e-6 && (g.scale - 1.0).abs() < 1e-12, "{g:?}");
    assert_eq!((model.totals.property_sets, model.totals.quantities, model.totals.materials), (1, 1, 1));
}

#[test]
fn equal_pipes_share_a_shape_however_they_lie() {
    let (model, _) = read(&plant()).unwrap();
    let shape = |i: usize| model.elements.iter().find(|e| e.tag == format!("P-{i}")).unwrap().shape.unwrap();
    assert_eq!((shape(0), shape(1)), (shape(2), shape(2)));
    assert_ne!(shape(0), shape(3), "the long one is another");
    assert_eq!(model.shapes.len(), 2);
    let volume = model.shapes[shape(0) as usize].volume_m3();
    let exact = std::f64::consts::PI * (0.05_f64.powi(2) - 0.046_f64.powi(2)) * 2.0;
    assert!((volume / exact - 1.0).abs() < 0.06, "{volume} for {exact}");
}

#[test]
fn line_ends_marks_and_zips_make_no_difference() {
    let (plain, _) = read(&plant()).unwrap();
    let crlf = plant().replace('\n', "\r\n");
    let marked = format!("\u{feff}{}", plant());
    let mut zipped = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut zipped);
    zip.start_file("folder/Plant.IFC", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(plant().as_bytes()).unwrap();
    zip.finish().unwrap();
    for (bytes, name) in [(crlf.as_bytes(), "a.ifc"), (marked.as_bytes(), "b.ifc"), (zipped.get_ref(), "c.ifczip")] {
        let (model, problems) = read_bytes_as(bytes, name, &Limits::default()).unwrap();
        assert!(problems.is_empty(), "{name}: {problems:?}");
        assert_eq!(model.elements.len(), plain.elements.len());
        assert_eq!(model.bounds(), plain.bounds(), "{name}");
        assert_eq!(model.kind, if name == "c.ifczip" { "ifczip" } else { "ifc" });
    }
    // By its first bytes when the name says nothing.
    assert!(read_bytes_as(plant().as_bytes(), "model.txt", &Limits::default()).is_ok());
}

#[test]
fn letters_of_every_kind() {
    // Latin-1 as old exporters write it, and the escapes of ISO 10303-21.
    let mut bytes = plant().replace("'Pump',$,$,#201", "'K\\X\\FChlung \\X2\\03B1\\X0\\ G@the',$,$,#201").into_bytes();
    for b in bytes.iter_mut().filter(|b| **b == b'@') {
        *b = 0xF6;
    }
    let (model, _) = read_bytes_as(&bytes, "latin.ifc", &Limits::default()).unwrap();
    let pump = model.elements.iter().find(|e| e.tag == "CHWP-1").unwrap();
    assert_eq!(pump.name, "Kühlung α Göthe");
    let (model, _) = read(&plant().replace("'Pump',$,$,#201", "'Kühlung α','it''s',$,#201")).unwrap();
    let pump = model.elements.iter().find(|e| e.tag == "CHWP-1").unwrap();
    assert_eq!((pump.name.as_str(), pump.description.as_str()), ("Kühlung α", "it's"));
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    assert!(refused(b"", "empty.ifc").contains("empty"));
    assert!(refused(&[0x9F, 0x00, 0x12, 0xFF, 0x80, 0x7F].repeat(5000), "garbage.ifc").contains("not an IFC file"));
    assert!(refused(&[b'<', 0x00, 0x12, 0xFF, 0x80, 0x7F].repeat(5000), "more.ifc").contains("not an IFC file"));
    assert!(refused(plant().replace("'IFC4'", "'IFC5_BETA'").as_bytes(), "new.ifc").contains("IFC5_BETA"));
    assert!(
        refused(plant().replace("'IFC4'", "'AUTOMOTIVE_DESIGN'").as_bytes(), "car.ifc").contains("AUTOMOTIVE_DESIGN")
    );
    assert!(refused(b"<?xml version=\"1.0\"?><ifcXML/>", "a.ifcxml").contains("ifcXML"));
    assert!(refused(b"{\"header\": {\"ifcxVersion\": \"ifcx_alpha\"}}", "a.ifcx").contains("IFCX"));
    assert!(refused(b"PK\x03\x04 and then nothing", "broken.ifczip").contains("archive"));
    assert!(refused(&[0xFF, 0xFE, b'I', 0], "wide.ifc").contains("UTF-16"));
    assert!(
        refused(
            b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n",
            "none.ifc"
        )
        .contains("no record")
    );
    assert!(refused(b"what?", "a.dwg").contains("CAD drawing"));
    assert!(refused(b"what?", "a.xyz").contains("does not know"));
    let folder = tempfile::tempdir().unwrap();
    let missing = import::read(&folder.path().join("missing.ifc"), &Progress::default()).unwrap_err();
    assert!(missing.to_string().contains("missing.ifc"), "{missing}");
    assert!(import::read(folder.path(), &Progress::default()).unwrap_err().message.contains("folder"));
    let folder_as_ifc = folder.path().join("folder.ifc");
    std::fs::create_dir(&folder_as_ifc).unwrap();
    assert!(import::read(&folder_as_ifc, &Progress::default()).is_err());
}

#[test]
fn a_truncated_file_shows_what_was_there() {
    let text = plant();
    for part in 1..=20 {
        let cut = text.len() * part / 21;
        match read_bytes_as(&text.as_bytes()[..cut], "cut.ifc", &Limits::default()) {
            Ok((model, problems)) => {
                assert!(problems.iter().any(|p| p.message.contains("ends early")), "{part}: {problems:?}");
                assert!(!model.elements.is_empty());
            }
            Err(problem) => assert!(!problem.message.is_empty() && part < 9, "{part}: {problem}"),
        }
    }
}

#[test]
fn a_file_that_claims_two_gigabytes() {
    // A sparse file: no bytes behind the claim.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.ifc");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(plant().as_bytes()).unwrap();
    file.set_len(2_500_000_000).unwrap();
    let problem = import::read(&path, &Progress::default()).unwrap_err();
    assert!(problem.message.contains("more than the limit"), "{problem}");

    // A member that unpacks to more than its share, and one whose stated size is a lie.
    let mut zipped = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut zipped);
    zip.start_file("a.ifc", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(plant().as_bytes()).unwrap();
    zip.write_all(&vec![b' '; 3_000_000]).unwrap();
    zip.finish().unwrap();
    let limits = Limits { max_bytes: 1_000_000, ..Limits::default() };
    let problem = read_bytes_as(zipped.get_ref(), "bomb.ifczip", &limits).unwrap_err();
    assert!(problem.message.contains("more than the limit"), "{problem}");
    let mut lie = zipped.into_inner();
    let claim = 3_000_000_u32 + plant().len() as u32;
    let (old, new) = (claim.to_le_bytes(), 2_147_483_647_u32.to_le_bytes());
    let mut replaced = 0;
    for at in 0..lie.len() - 4 {
        if lie[at..at + 4] == old {
            lie[at..at + 4].copy_from_slice(&new);
            replaced += 1;
        }
    }
    assert!(replaced >= 1);
    let problem = read_bytes_as(&lie, "lie.ifczip", &Limits::default()).unwrap_err();
    assert!(problem.message.contains("limit") || problem.message.contains("archive"), "{problem}");

    // Text that claims huge lists, counts and nesting.
    let claims = [
        "#900=IFCBSPLINECURVEWITHKNOTS(2000000000,(#12,#37),.UNSPECIFIED.,.F.,.F.,(2000000000,2000000000),(0.,1.),.UNSPECIFIED.);",
        "#900=IFCRATIONALBSPLINESURFACEWITHKNOTS(2000000000,2000000000,((#12,#37)),.UNSPECIFIED.,.F.,.F.,.F.,(2147483647),(2147483647),(0.),(0.),.UNSPECIFIED.,((1.)));",
        "#900=IFCCIRCLE(#11,1.E300);",
        "#900=IFCPOLYLINE((#4294967295,#99999999999999,#12));",
    ];
    for claim in claims {
        let solid =
            "#901=IFCARBITRARYCLOSEDPROFILEDEF(.AREA.,$,#900);\n#902=IFCSURFACEOFLINEAREXTRUSION(#901,#11,#63,2.);";
        let swept = "#903=IFCSWEPTDISKSOLID(#900,10.,$,0.,1.);";
        let text = plant().replace(
            "#106=IFCEXTRUDEDAREASOLID(#60",
            &format!("{claim}\n{solid}\n{swept}\n#106=IFCEXTRUDEDAREASOLID(#901"),
        );
        let text = text.replace("'SweptSolid',(#126)", "'SweptSolid',(#903)");
        let (model, _) = read(&text).unwrap();
        assert_eq!(model.counted().count(), 6);
        assert!(model.elements.iter().find(|e| e.tag == "P-2").unwrap().shape.is_some(), "the others are drawn");
    }
    let deep = format!("#900=IFCPOLYLINE({}{});", "(".repeat(200_000), ")".repeat(200_000));
    let (model, _) = read(&plant().replace("ENDSEC;\nEND-ISO", &format!("{deep}\nENDSEC;\nEND-ISO"))).unwrap();
    assert_eq!(model.counted().count(), 6);
    let deep = format!("#102=IFCPRODUCTDEFINITIONSHAPE($,$,{}#105{});", "(".repeat(200_000), ")".repeat(200_000));
    let (model, _) = read(&plant().replace("#102=IFCPRODUCTDEFINITIONSHAPE($,$,(#105));", &deep)).unwrap();
    assert_eq!(model.counted().count(), 6);
}

#[test]
fn no_geometry_is_worth_a_note_and_no_more() {
    let mut text = plant();
    for line in plant().lines().filter(|l| l.contains("IFCPRODUCTDEFINITIONSHAPE")) {
        text = text.replace(&format!(",{},", line.split('=').next().unwrap()), ",$,");
    }
    let (model, problems) = read(&text).unwrap();
    assert_eq!(model.counted().count(), 6);
    assert!(model.bounds().is_none() && model.shapes.is_empty());
    assert!(
        problems.iter().any(|p| p.severity == Severity::Info && p.message.contains("no element has geometry")),
        "{problems:?}"
    );
    assert!(problems.iter().all(|p| p.severity == Severity::Info), "{problems:?}");
}

#[test]
fn a_placement_that_stands_on_itself() {
    // The storey's: everything hangs on it.
    let text = plant().replace("#31=IFCLOCALPLACEMENT($,#11);", "#31=IFCLOCALPLACEMENT(#35,#11);");
    let (model, problems) = read(&text).unwrap();
    assert_eq!(model.counted().count(), 6);
    assert!(problems.iter().any(|p| p.message.contains("on itself")), "{problems:?}");
    // One pipe's own.
    let text = plant().replace("#101=IFCLOCALPLACEMENT(#35,", "#101=IFCLOCALPLACEMENT(#101,");
    let (model, problems) = read(&text).unwrap();
    assert!(problems.iter().any(|p| p.place.contains("#101") && p.message.contains("on itself")), "{problems:?}");
    assert!(model.elements.iter().find(|e| e.tag == "P-1").unwrap().shape.is_some(), "the others are drawn");
}

#[test]
fn missing_records_are_said_to_be_missing() {
    for (record, word) in [
        ("#102=", "representation is not in the file"),
        ("#1=", "length unit"),
        ("#20=", "length unit"),
        ("#21=", "length unit"),
        ("#11=", "placement"),
        ("#35=", "placement"),
        ("#36=", "placement"),
        ("#60=", "no triangle"),
    ] {
        let text: String = plant().lines().filter(|l| !l.starts_with(record)).map(|l| format!("{l}\n")).collect();
        let (model, problems) = read(&text).unwrap();
        assert_eq!(model.counted().count(), 6, "without {record}");
        let problems = problems.iter().filter(|p| p.severity != Severity::Info);
        let words: Vec<String> = problems.map(ToString::to_string).collect();
        assert!(words.iter().any(|p| p.contains(word)), "without {record}: {words:?}");
    }
}

#[test]
fn nonsense_numbers_reach_nothing() {
    for (from, to) in [
        ("#37=IFCCARTESIANPOINT((0.,0.,14000.));", "#37=IFCCARTESIANPOINT((0.,0.,1.E400));"),
        ("#63=IFCDIRECTION((0.,0.,1.));", "#63=IFCDIRECTION((0.,0.,0.));"),
        ("#60,#11,#63,2000", "#60,#11,#63,-1.E308"),
        (".MILLI.", ".KILO."),
        (
            "#21=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);",
            "#21=IFCCONVERSIONBASEDUNIT($,.LENGTHUNIT.,'X',#29);\n#29=IFCMEASUREWITHUNIT(IFCLENGTHMEASURE(0.),#252);",
        ),
        ("2683141.2", "1.E400"),
        ("14000.);", "$);"),
    ] {
        assert!(plant().contains(from));
        let (model, _) = read(&plant().replace(from, to)).unwrap();
        assert_eq!(model.counted().count(), 6, "{to}");
        for element in &model.elements {
            assert!(element.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite()), "{to}: {element:?}");
            assert!(element.placement.is_finite(), "{to}");
        }
        assert!(model.georeference.is_none_or(|g| g.origin_m.iter().all(|v| v.is_finite())), "{to}");
    }
}

#[test]
fn loose_ends_are_listed() {
    let text = plant()
        .replace("(#100,#120,#140,#160),#34", "(#100,#120,#140,#9999),#34")
        .replace("#235=IFCRELNESTS('0RNes00000000000000001',$,$,$,#100,(#230));\n", "")
        .replace("0Pipe00000000000000002", "0Pipe00000000000000001")
        .replace("#200=IFCPUMP('0Pump00000000000000001'", "#200=IFCPUMP($");
    let (model, problems) = read(&text).unwrap();
    let says = |words: &str| problems.iter().any(|p| p.message.contains(words));
    assert!(says("1 port is left out: no element owns it"), "{problems:?}");
    assert!(says("1 port connection is left out"), "{problems:?}");
    assert!(says("more than one element has this GlobalId"), "{problems:?}");
    assert!(says("no GlobalId"), "{problems:?}");
    assert!(model.elements.iter().any(|e| e.id == "#200"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bytes_turned_anywhere(turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = plant().into_bytes();
        for (at, byte) in turns {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok((model, _)) = read_bytes_as(&bytes, "bitten.ifc", &Limits::default()) {
            prop_assert!(!model.elements.is_empty());
            for e in &model.elements {
                prop_assert!(e.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite()));
                prop_assert!(e.shape.is_none_or(|s| (s as usize) < model.shapes.len()));
            }
        }
    }

    #[test]
    fn lines_in_any_order_and_number(keep in prop::collection::vec(any::<bool>(), 140), swap in any::<prop::sample::Index>()) {
        let text = plant();
        let (head, rest) = text.split_once("DATA;\n").unwrap();
        let mut lines: Vec<&str> = rest.lines().zip(keep.iter().chain(std::iter::repeat(&true))).filter(|(_, k)| **k).map(|(l, _)| l).collect();
        if !lines.is_empty() {
            let middle = swap.index(lines.len());
            lines.rotate_left(middle);
        }
        let _ = read(&format!("{head}DATA;\n{}\n", lines.join("\n")));
    }

    #[test]
    fn any_bytes_with_the_right_first_line(tail in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut bytes = b"ISO-10303-21;\nHEADER;FILE_SCHEMA(('IFC4'));ENDSEC;DATA;\n".to_vec();
        bytes.extend(tail);
        let _ = read_bytes_as(&bytes, "tail.ifc", &Limits::default());
    }
}

#[test]
fn it_is_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("plant.ifc");
    std::fs::write(path, plant()).unwrap();
    let once = import::read(path, &Progress::default()).unwrap().0;
    let twice = import::read(path, &Progress::default()).unwrap().0;
    assert_eq!(once.shapes, twice.shapes);
    let placed = |m: &Model| m.elements.iter().map(|e| (e.id.clone(), e.shape, e.placement)).collect::<Vec<_>>();
    assert_eq!(placed(&once), placed(&twice));
}
