//! Small line icons, drawn as strokes on a 16 × 16 grid: sharp at every scale, in the theme's colours.

use bevy_egui::egui;
use egui::{Color32, Painter, Pos2, Rect, Stroke, pos2};

/// What an icon stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Icon {
    AirHandler,
    AirTerminal,
    Beam,
    Bell,
    Bookmark,
    Boiler,
    Box,
    Building,
    Chart,
    Check,
    Chiller,
    ChevronDown,
    ChevronRight,
    Close,
    Coil,
    Column,
    Copy,
    Cut,
    Door,
    Duct,
    Eye,
    EyeOff,
    Fan,
    Filter,
    Fit,
    FlyTo,
    Folder,
    Ghost,
    Help,
    Home,
    Isolate,
    Light,
    MapPin,
    Meter,
    Moon,
    PanelBottom,
    PanelLeft,
    PanelRight,
    Pause,
    Pipe,
    Play,
    PlayBack,
    Pump,
    Reload,
    Roof,
    Search,
    Sensor,
    Signal,
    Slab,
    Space,
    Stair,
    Storey,
    Sun,
    System,
    Tag,
    Tank,
    TerminalBox,
    Tower,
    Valve,
    Wall,
    Warning,
    Window,
}

/// One stroke of an icon.
enum Mark {
    /// Through these points.
    Line(&'static [(f32, f32)]),
    /// A circle: middle and radius.
    Ring(f32, f32, f32),
    /// A filled circle.
    Dot(f32, f32, f32),
}

use Mark::{Dot, Line, Ring};

/// Draws an icon into the middle of `rect`, as large as fits in a square.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, colour: Color32) {
    let size = rect.width().min(rect.height());
    let unit = size / 16.0;
    let corner = rect.center() - egui::Vec2::splat(size * 0.5);
    let at = |(x, y): (f32, f32)| -> Pos2 { pos2(corner.x + x * unit, corner.y + y * unit) };
    let stroke = Stroke::new((1.3 * unit).max(1.0), colour);
    for mark in marks(icon) {
        match *mark {
            Line(points) => {
                painter.line(points.iter().copied().map(at).collect(), stroke);
            }
            Ring(x, y, r) => {
                painter.circle_stroke(at((x, y)), r * unit, stroke);
            }
            Dot(x, y, r) => {
                painter.circle_filled(at((x, y)), r * unit, colour);
            }
        }
    }
}

/// The icon of a file's class.
pub fn of_class(class: &str, predefined_type: &str) -> Icon {
    let bare = class.strip_prefix("Ifc").unwrap_or(class);
    match bare {
        "AirTerminalBox" => Icon::TerminalBox,
        "AirTerminal" => Icon::AirTerminal,
        "UnitaryEquipment" if predefined_type == "AIRHANDLER" => Icon::AirHandler,
        "SpaceHeater" | "HeatExchanger" | "Coil" | "CooledBeam" | "Evaporator" | "Condenser" => Icon::Coil,
        "FlowMeter" | "ElectricMeter" | "FlowInstrument" => Icon::Meter,
        "Sensor" | "Alarm" => Icon::Sensor,
        "Actuator" | "Controller" | "UnitaryControlElement" | "ProtectiveDevice" => Icon::Signal,
        "Damper" | "Valve" | "FlowController" => Icon::Valve,
        "LightFixture" | "Lamp" | "Outlet" => Icon::Light,
        "CoolingTower" | "EvaporativeCooler" => Icon::Tower,
        "Covering" | "Slab" | "Plate" | "Footing" | "Road" => Icon::Slab,
        "CurtainWall" | "Window" => Icon::Window,
        _ if bare.starts_with("Pipe") => Icon::Pipe,
        _ if bare.starts_with("Duct") || bare.starts_with("Cable") => Icon::Duct,
        _ if bare.starts_with("Wall") => Icon::Wall,
        _ if bare.starts_with("Door") => Icon::Door,
        _ if bare.starts_with("Roof") => Icon::Roof,
        _ if bare.starts_with("Stair") || bare.starts_with("Ramp") || bare == "Railing" => Icon::Stair,
        _ if bare.starts_with("Column") || bare == "Pile" => Icon::Column,
        _ if bare.starts_with("Beam") || bare == "Member" => Icon::Beam,
        _ if bare.starts_with("Space") => Icon::Space,
        _ if bare.starts_with("Pump") || bare == "Compressor" => Icon::Pump,
        _ if bare.starts_with("Fan") => Icon::Fan,
        _ if bare.starts_with("Filter") => Icon::Filter,
        _ if bare.starts_with("Chiller") => Icon::Chiller,
        _ if bare.starts_with("Boiler") || bare == "Burner" => Icon::Boiler,
        _ if bare.starts_with("Tank") => Icon::Tank,
        _ if !class.starts_with("Ifc") => Icon::MapPin,
        _ => Icon::Box,
    }
}

fn marks(icon: Icon) -> &'static [Mark] {
    match icon {
        Icon::AirHandler => &[
            Line(&[(1.5, 4.0), (14.5, 4.0), (14.5, 12.0), (1.5, 12.0), (1.5, 4.0)]),
            Line(&[(6.0, 4.0), (6.0, 12.0)]),
            Ring(10.2, 8.0, 2.4),
        ],
        Icon::AirTerminal => &[
            Line(&[(2.0, 2.0), (14.0, 2.0), (14.0, 14.0), (2.0, 14.0), (2.0, 2.0)]),
            Line(&[(5.5, 5.5), (10.5, 5.5), (10.5, 10.5), (5.5, 10.5), (5.5, 5.5)]),
            Line(&[(2.0, 2.0), (5.5, 5.5)]),
            Line(&[(14.0, 2.0), (10.5, 5.5)]),
            Line(&[(2.0, 14.0), (5.5, 10.5)]),
            Line(&[(14.0, 14.0), (10.5, 10.5)]),
        ],
        Icon::Beam => {
            &[Line(&[(2.0, 4.0), (14.0, 4.0)]), Line(&[(8.0, 4.0), (8.0, 12.0)]), Line(&[(2.0, 12.0), (14.0, 12.0)])]
        }
        Icon::Bell => &[
            Line(&[
                (2.5, 12.0),
                (4.0, 10.0),
                (4.0, 6.5),
                (6.0, 3.4),
                (10.0, 3.4),
                (12.0, 6.5),
                (12.0, 10.0),
                (13.5, 12.0),
                (2.5, 12.0),
            ]),
            Line(&[(6.8, 14.2), (9.2, 14.2)]),
        ],
        Icon::Boiler => &[
            Line(&[(3.0, 2.0), (13.0, 2.0), (13.0, 14.0), (3.0, 14.0), (3.0, 2.0)]),
            Line(&[(8.0, 4.5), (10.5, 8.0), (9.5, 11.5), (6.5, 11.5), (5.5, 8.8), (7.2, 7.6), (8.0, 4.5)]),
        ],
        Icon::Box => &[
            Line(&[(8.0, 1.8), (13.8, 5.0), (13.8, 11.0), (8.0, 14.2), (2.2, 11.0), (2.2, 5.0), (8.0, 1.8)]),
            Line(&[(2.2, 5.0), (8.0, 8.2), (13.8, 5.0)]),
            Line(&[(8.0, 8.2), (8.0, 14.2)]),
        ],
        Icon::Building => &[
            Line(&[(3.0, 14.0), (3.0, 2.0), (10.0, 2.0), (10.0, 14.0)]),
            Line(&[(10.0, 7.0), (13.5, 7.0), (13.5, 14.0)]),
            Line(&[(1.5, 14.0), (14.5, 14.0)]),
            Line(&[(5.3, 5.0), (7.7, 5.0)]),
            Line(&[(5.3, 8.0), (7.7, 8.0)]),
            Line(&[(5.3, 11.0), (7.7, 11.0)]),
        ],
        Icon::Chart => {
            &[Line(&[(2.0, 2.0), (2.0, 14.0), (14.0, 14.0)]), Line(&[(4.0, 11.0), (7.0, 7.0), (9.5, 9.0), (13.5, 3.5)])]
        }
        Icon::Check => &[Line(&[(2.5, 8.5), (6.2, 12.2), (13.5, 4.0)])],
        Icon::Chiller => &[
            Line(&[(8.0, 1.5), (8.0, 14.5)]),
            Line(&[(2.4, 4.8), (13.6, 11.2)]),
            Line(&[(2.4, 11.2), (13.6, 4.8)]),
            Line(&[(6.0, 2.8), (8.0, 4.8), (10.0, 2.8)]),
            Line(&[(6.0, 13.2), (8.0, 11.2), (10.0, 13.2)]),
        ],
        Icon::ChevronDown => &[Line(&[(4.0, 6.0), (8.0, 10.2), (12.0, 6.0)])],
        Icon::ChevronRight => &[Line(&[(6.0, 4.0), (10.2, 8.0), (6.0, 12.0)])],
        Icon::Pause => &[Line(&[(5.5, 3.5), (5.5, 12.5)]), Line(&[(10.5, 3.5), (10.5, 12.5)])],
        Icon::Play => &[Line(&[(5.0, 3.0), (12.5, 8.0), (5.0, 13.0), (5.0, 3.0)])],
        Icon::PlayBack => &[Line(&[(11.0, 3.0), (3.5, 8.0), (11.0, 13.0), (11.0, 3.0)])],
        Icon::Close => &[Line(&[(4.0, 4.0), (12.0, 12.0)]), Line(&[(12.0, 4.0), (4.0, 12.0)])],
        Icon::Coil => &[Line(&[
            (1.5, 3.0),
            (13.0, 3.0),
            (13.0, 6.3),
            (3.0, 6.3),
            (3.0, 9.7),
            (13.0, 9.7),
            (13.0, 13.0),
            (1.5, 13.0),
        ])],
        Icon::Column => &[
            Line(&[(3.5, 2.0), (12.5, 2.0)]),
            Line(&[(3.5, 14.0), (12.5, 14.0)]),
            Line(&[(6.0, 2.0), (6.0, 14.0)]),
            Line(&[(10.0, 2.0), (10.0, 14.0)]),
        ],
        Icon::Copy => &[
            Line(&[(5.5, 5.5), (13.5, 5.5), (13.5, 14.0), (5.5, 14.0), (5.5, 5.5)]),
            Line(&[(3.5, 10.5), (2.5, 10.5), (2.5, 2.0), (10.5, 2.0), (10.5, 3.5)]),
        ],
        Icon::Cut => &[
            Line(&[(3.0, 9.0), (3.0, 14.0), (13.0, 14.0), (13.0, 9.0)]),
            Line(&[(1.0, 7.0), (4.0, 7.0)]),
            Line(&[(6.5, 7.0), (9.5, 7.0)]),
            Line(&[(12.0, 7.0), (15.0, 7.0)]),
            Line(&[(8.0, 1.5), (8.0, 4.8)]),
            Line(&[(6.2, 3.2), (8.0, 5.0), (9.8, 3.2)]),
        ],
        Icon::Door => &[
            Line(&[(4.0, 14.0), (4.0, 2.0), (12.0, 2.0), (12.0, 14.0)]),
            Line(&[(2.0, 14.0), (14.0, 14.0)]),
            Dot(10.0, 8.3, 0.9),
        ],
        Icon::Duct => &[
            Line(&[(1.5, 4.5), (14.5, 4.5)]),
            Line(&[(1.5, 11.5), (14.5, 11.5)]),
            Line(&[(5.0, 4.5), (5.0, 11.5)]),
            Line(&[(11.0, 4.5), (11.0, 11.5)]),
        ],
        Icon::Bookmark => &[Line(&[(4.0, 2.0), (12.0, 2.0), (12.0, 14.0), (8.0, 10.6), (4.0, 14.0), (4.0, 2.0)])],
        Icon::Eye => &[
            Line(&[
                (1.2, 8.0),
                (4.0, 4.8),
                (8.0, 3.6),
                (12.0, 4.8),
                (14.8, 8.0),
                (12.0, 11.2),
                (8.0, 12.4),
                (4.0, 11.2),
                (1.2, 8.0),
            ]),
            Ring(8.0, 8.0, 2.0),
        ],
        Icon::EyeOff => &[
            Line(&[
                (1.2, 8.0),
                (4.0, 4.8),
                (8.0, 3.6),
                (12.0, 4.8),
                (14.8, 8.0),
                (12.0, 11.2),
                (8.0, 12.4),
                (4.0, 11.2),
                (1.2, 8.0),
            ]),
            Line(&[(3.0, 13.5), (13.0, 2.5)]),
        ],
        Icon::Fan => &[
            Ring(8.0, 8.0, 6.2),
            Dot(8.0, 8.0, 1.2),
            Line(&[(8.0, 6.8), (9.8, 4.6), (8.0, 3.0), (7.2, 5.2), (8.0, 6.8)]),
            Line(&[(9.0, 8.6), (10.0, 11.2), (12.3, 10.5), (10.8, 8.7), (9.0, 8.6)]),
            Line(&[(7.0, 8.6), (4.2, 8.2), (3.7, 10.5), (6.0, 10.3), (7.0, 8.6)]),
        ],
        Icon::Filter => &[
            Line(&[(2.0, 2.5), (14.0, 2.5), (14.0, 13.5), (2.0, 13.5), (2.0, 2.5)]),
            Line(&[(4.0, 13.0), (6.0, 3.0), (8.0, 13.0), (10.0, 3.0), (12.0, 13.0)]),
        ],
        Icon::Fit => &[
            Line(&[(2.0, 5.5), (2.0, 2.0), (5.5, 2.0)]),
            Line(&[(10.5, 2.0), (14.0, 2.0), (14.0, 5.5)]),
            Line(&[(14.0, 10.5), (14.0, 14.0), (10.5, 14.0)]),
            Line(&[(5.5, 14.0), (2.0, 14.0), (2.0, 10.5)]),
            Line(&[(5.5, 5.5), (10.5, 5.5), (10.5, 10.5), (5.5, 10.5), (5.5, 5.5)]),
        ],
        Icon::FlyTo => {
            &[Line(&[(14.0, 2.0), (9.2, 14.0), (7.2, 8.8), (2.0, 6.8), (14.0, 2.0)]), Line(&[(14.0, 2.0), (7.2, 8.8)])]
        }
        Icon::Reload => &[
            Line(&[
                (13.2, 6.2),
                (11.9, 4.1),
                (9.6, 2.8),
                (7.0, 2.8),
                (4.6, 4.0),
                (3.1, 6.2),
                (2.8, 8.8),
                (3.7, 11.2),
                (5.7, 12.9),
                (8.2, 13.4),
                (10.7, 12.6),
                (12.5, 10.8),
            ]),
            Line(&[(13.6, 2.6), (13.3, 6.3), (9.7, 5.8)]),
        ],
        Icon::Folder => {
            &[Line(&[(1.8, 13.0), (1.8, 3.0), (6.2, 3.0), (7.8, 5.0), (14.2, 5.0), (14.2, 13.0), (1.8, 13.0)])]
        }
        Icon::Ghost => &[
            Line(&[(2.0, 5.0), (2.0, 2.0), (5.0, 2.0)]),
            Line(&[(7.0, 2.0), (9.0, 2.0)]),
            Line(&[(11.0, 2.0), (14.0, 2.0), (14.0, 5.0)]),
            Line(&[(14.0, 7.0), (14.0, 9.0)]),
            Line(&[(14.0, 11.0), (14.0, 14.0), (11.0, 14.0)]),
            Line(&[(9.0, 14.0), (7.0, 14.0)]),
            Line(&[(5.0, 14.0), (2.0, 14.0), (2.0, 11.0)]),
            Line(&[(2.0, 9.0), (2.0, 7.0)]),
            Dot(8.0, 8.0, 2.2),
        ],
        Icon::Help => &[
            Ring(8.0, 8.0, 6.4),
            Line(&[(5.9, 6.3), (6.5, 4.9), (8.0, 4.3), (9.6, 5.0), (10.0, 6.4), (8.0, 8.2), (8.0, 9.4)]),
            Dot(8.0, 11.6, 0.9),
        ],
        Icon::Home => &[
            Line(&[(1.5, 8.2), (8.0, 2.2), (14.5, 8.2)]),
            Line(&[(3.5, 6.8), (3.5, 13.8), (12.5, 13.8), (12.5, 6.8)]),
            Line(&[(6.5, 13.8), (6.5, 9.5), (9.5, 9.5), (9.5, 13.8)]),
        ],
        Icon::Isolate => &[
            Ring(8.0, 8.0, 4.6),
            Dot(8.0, 8.0, 1.4),
            Line(&[(8.0, 1.2), (8.0, 4.4)]),
            Line(&[(8.0, 11.6), (8.0, 14.8)]),
            Line(&[(1.2, 8.0), (4.4, 8.0)]),
            Line(&[(11.6, 8.0), (14.8, 8.0)]),
        ],
        Icon::Light => &[
            Ring(8.0, 6.5, 4.5),
            Line(&[(6.2, 11.0), (6.2, 13.0), (9.8, 13.0), (9.8, 11.0)]),
            Line(&[(7.0, 14.8), (9.0, 14.8)]),
        ],
        Icon::MapPin => &[
            Line(&[
                (8.0, 14.5),
                (3.8, 8.6),
                (3.4, 5.6),
                (5.2, 2.8),
                (8.0, 1.8),
                (10.8, 2.8),
                (12.6, 5.6),
                (12.2, 8.6),
                (8.0, 14.5),
            ]),
            Dot(8.0, 6.2, 1.6),
        ],
        Icon::Meter => &[Ring(8.0, 8.0, 6.2), Line(&[(8.0, 8.8), (11.0, 5.4)]), Line(&[(4.4, 11.0), (11.6, 11.0)])],
        Icon::Moon => &[Line(&[
            (9.8, 1.8),
            (6.4, 2.4),
            (3.6, 4.8),
            (2.6, 8.2),
            (3.8, 11.6),
            (6.6, 13.8),
            (10.2, 14.0),
            (13.4, 12.0),
            (10.6, 11.6),
            (8.2, 9.4),
            (7.6, 6.2),
            (8.4, 3.4),
            (9.8, 1.8),
        ])],
        Icon::PanelBottom => &[
            Line(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0), (2.0, 3.0)]),
            Line(&[(2.0, 9.2), (14.0, 9.2)]),
            Line(&[(4.5, 11.1), (11.5, 11.1)]),
        ],
        Icon::PanelLeft => &[
            Line(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0), (2.0, 3.0)]),
            Line(&[(6.4, 3.0), (6.4, 13.0)]),
            Line(&[(4.2, 5.5), (4.2, 10.5)]),
        ],
        Icon::PanelRight => &[
            Line(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0), (2.0, 3.0)]),
            Line(&[(9.6, 3.0), (9.6, 13.0)]),
            Line(&[(11.8, 5.5), (11.8, 10.5)]),
        ],
        Icon::Pipe => &[
            Line(&[(3.5, 5.5), (12.5, 5.5)]),
            Line(&[(3.5, 10.5), (12.5, 10.5)]),
            Line(&[(3.5, 3.8), (3.5, 12.2)]),
            Line(&[(12.5, 3.8), (12.5, 12.2)]),
            Line(&[(1.2, 6.5), (1.2, 9.5)]),
            Line(&[(14.8, 6.5), (14.8, 9.5)]),
        ],
        Icon::Pump => &[Ring(8.0, 8.0, 6.2), Line(&[(5.0, 3.0), (14.0, 8.0), (5.0, 13.0)])],
        Icon::Roof => &[Line(&[(1.2, 9.5), (8.0, 3.0), (14.8, 9.5)]), Line(&[(3.4, 12.5), (12.6, 12.5)])],
        Icon::Search => &[Ring(6.8, 6.8, 4.4), Line(&[(10.0, 10.0), (14.2, 14.2)])],
        Icon::Sensor => &[
            Dot(8.0, 8.0, 1.7),
            Line(&[(4.9, 11.1), (3.7, 8.0), (4.9, 4.9)]),
            Line(&[(11.1, 4.9), (12.3, 8.0), (11.1, 11.1)]),
            Line(&[(2.7, 13.3), (0.9, 8.0), (2.7, 2.7)]),
            Line(&[(13.3, 2.7), (15.1, 8.0), (13.3, 13.3)]),
        ],
        Icon::Signal => &[
            Line(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0), (2.0, 3.0)]),
            Line(&[(4.0, 8.0), (6.0, 8.0), (7.2, 5.0), (9.0, 11.0), (10.2, 8.0), (12.0, 8.0)]),
        ],
        Icon::Slab => &[
            Line(&[(1.2, 8.5), (6.0, 4.8), (14.8, 4.8), (10.0, 8.5), (1.2, 8.5)]),
            Line(&[(1.2, 8.5), (1.2, 11.2), (10.0, 11.2), (14.8, 7.5), (14.8, 4.8)]),
            Line(&[(10.0, 8.5), (10.0, 11.2)]),
        ],
        Icon::Space => &[
            Line(&[(2.0, 5.0), (2.0, 2.0), (5.0, 2.0)]),
            Line(&[(11.0, 2.0), (14.0, 2.0), (14.0, 5.0)]),
            Line(&[(14.0, 11.0), (14.0, 14.0), (11.0, 14.0)]),
            Line(&[(5.0, 14.0), (2.0, 14.0), (2.0, 11.0)]),
            Line(&[(6.0, 8.0), (10.0, 8.0)]),
            Line(&[(8.0, 6.0), (8.0, 10.0)]),
        ],
        Icon::Stair => &[Line(&[
            (1.5, 13.5),
            (4.7, 13.5),
            (4.7, 10.3),
            (7.9, 10.3),
            (7.9, 7.1),
            (11.1, 7.1),
            (11.1, 3.9),
            (14.5, 3.9),
        ])],
        Icon::Storey => &[
            Line(&[(8.0, 2.0), (14.5, 5.2), (8.0, 8.4), (1.5, 5.2), (8.0, 2.0)]),
            Line(&[(1.5, 8.4), (8.0, 11.6), (14.5, 8.4)]),
            Line(&[(1.5, 11.2), (8.0, 14.4), (14.5, 11.2)]),
        ],
        Icon::Sun => &[
            Ring(8.0, 8.0, 3.0),
            Line(&[(8.0, 1.2), (8.0, 3.0)]),
            Line(&[(8.0, 13.0), (8.0, 14.8)]),
            Line(&[(1.2, 8.0), (3.0, 8.0)]),
            Line(&[(13.0, 8.0), (14.8, 8.0)]),
            Line(&[(3.2, 3.2), (4.5, 4.5)]),
            Line(&[(11.5, 11.5), (12.8, 12.8)]),
            Line(&[(3.2, 12.8), (4.5, 11.5)]),
            Line(&[(11.5, 4.5), (12.8, 3.2)]),
        ],
        Icon::System => &[
            Ring(3.6, 3.6, 1.9),
            Ring(12.4, 3.6, 1.9),
            Ring(8.0, 12.4, 1.9),
            Line(&[(5.5, 3.6), (10.5, 3.6)]),
            Line(&[(4.5, 5.3), (7.1, 10.7)]),
            Line(&[(11.5, 5.3), (8.9, 10.7)]),
        ],
        Icon::Tag => {
            &[Line(&[(2.0, 2.0), (8.2, 2.0), (14.2, 8.0), (8.0, 14.2), (2.0, 8.2), (2.0, 2.0)]), Dot(5.2, 5.2, 1.1)]
        }
        Icon::Tank => &[
            Line(&[
                (4.0, 4.0),
                (5.5, 2.0),
                (10.5, 2.0),
                (12.0, 4.0),
                (12.0, 12.0),
                (10.5, 14.0),
                (5.5, 14.0),
                (4.0, 12.0),
                (4.0, 4.0),
            ]),
            Line(&[(4.0, 7.0), (12.0, 7.0)]),
        ],
        Icon::TerminalBox => &[
            Line(&[(3.0, 3.5), (11.0, 3.5), (11.0, 12.5), (3.0, 12.5), (3.0, 3.5)]),
            Line(&[(0.8, 8.0), (3.0, 8.0)]),
            Line(&[(11.0, 6.0), (15.0, 6.0)]),
            Line(&[(11.0, 10.0), (15.0, 10.0)]),
            Line(&[(5.0, 10.5), (9.0, 5.5)]),
        ],
        Icon::Tower => &[
            Line(&[(3.0, 14.0), (4.6, 5.0), (11.4, 5.0), (13.0, 14.0), (3.0, 14.0)]),
            Line(&[(5.5, 2.5), (10.5, 2.5)]),
            Line(&[(8.0, 2.5), (8.0, 5.0)]),
            Line(&[(4.0, 9.5), (12.0, 9.5)]),
        ],
        Icon::Valve => &[
            Line(&[(2.0, 4.5), (14.0, 11.5), (14.0, 4.5), (2.0, 11.5), (2.0, 4.5)]),
            Line(&[(8.0, 8.0), (8.0, 2.5)]),
            Line(&[(5.5, 2.5), (10.5, 2.5)]),
        ],
        Icon::Wall => &[
            Line(&[(1.5, 3.0), (14.5, 3.0), (14.5, 13.0), (1.5, 13.0), (1.5, 3.0)]),
            Line(&[(1.5, 6.3), (14.5, 6.3)]),
            Line(&[(1.5, 9.7), (14.5, 9.7)]),
            Line(&[(6.0, 3.0), (6.0, 6.3)]),
            Line(&[(10.0, 6.3), (10.0, 9.7)]),
            Line(&[(6.0, 9.7), (6.0, 13.0)]),
        ],
        Icon::Warning => &[
            Line(&[(8.0, 2.0), (14.8, 13.8), (1.2, 13.8), (8.0, 2.0)]),
            Line(&[(8.0, 6.2), (8.0, 9.8)]),
            Dot(8.0, 11.8, 0.9),
        ],
        Icon::Window => &[
            Line(&[(2.5, 2.0), (13.5, 2.0), (13.5, 14.0), (2.5, 14.0), (2.5, 2.0)]),
            Line(&[(8.0, 2.0), (8.0, 14.0)]),
            Line(&[(2.5, 8.0), (13.5, 8.0)]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_icon_of_their_trade() {
        assert_eq!(of_class("IfcPump", ""), Icon::Pump);
        assert_eq!(of_class("IfcPipeFitting", ""), Icon::Pipe);
        assert_eq!(of_class("IfcWallStandardCase", ""), Icon::Wall);
        assert_eq!(of_class("IfcUnitaryEquipment", "AIRHANDLER"), Icon::AirHandler);
        assert_eq!(of_class("IfcUnitaryEquipment", ""), Icon::Box);
        assert_eq!(of_class("tree", ""), Icon::MapPin);
    }

    #[test]
    fn every_stroke_stays_on_the_grid() {
        for icon in [Icon::Fan, Icon::Bell, Icon::Moon, Icon::Sensor, Icon::TerminalBox, Icon::Warning, Icon::Eye] {
            for mark in marks(icon) {
                let inside = |x: f32, y: f32| (0.0..=16.0).contains(&x) && (0.0..=16.0).contains(&y);
                match *mark {
                    Line(points) => assert!(points.iter().all(|(x, y)| inside(*x, *y)), "{icon:?}"),
                    Ring(x, y, r) | Dot(x, y, r) => assert!(inside(x - r, y - r) && inside(x + r, y + r), "{icon:?}"),
                }
            }
        }
    }
}
