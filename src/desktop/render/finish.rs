//! The last pass over the scene: background, feature edges, outlines. One triangle over the view, reading what
//! was drawn and the depth and normal prepass.

use super::scene_state::{Look, linear};
use super::shaders;
use crate::twin::view::View;
use bevy::core_pipeline::prepass::ViewPrepassTextures;
use bevy::core_pipeline::schedule::Core3d;
use bevy::core_pipeline::tonemapping::tonemapping;
use bevy::core_pipeline::{Core3dSystems, FullscreenShader};
use bevy::prelude::*;
use bevy::render::extract_component::{
    ComponentUniforms, DynamicUniformIndex, ExtractComponent, ExtractComponentPlugin, UniformComponentPlugin,
};
use bevy::render::render_resource::binding_types::{texture_2d, texture_depth_2d, uniform_buffer};
use bevy::render::render_resource::{
    BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, CachedRenderPipelineId, ColorTargetState,
    ColorWrites, Extent3d, FragmentState, Operations, PipelineCache, RenderPassColorAttachment, RenderPassDescriptor,
    RenderPipelineDescriptor, ShaderStages, ShaderType, TextureFormat, TextureSampleType,
};
use bevy::render::renderer::{RenderContext, ViewQuery};
use bevy::render::view::{ViewTarget, ViewUniform, ViewUniformOffset, ViewUniforms};
use bevy::render::{RenderApp, RenderStartup};
use bevy::shader::ShaderRef;

/// What the last pass draws with; on the camera. The layout is that of `Finish` in `shaders/finish.wgsl`.
#[derive(Component, Default, Clone, Copy, ExtractComponent, ShaderType)]
pub struct Finish {
    top: Vec4,
    horizon: Vec4,
    bottom: Vec4,
    edge: Vec4,
    selected: Vec4,
    hovered: Vec4,
    scale: Vec4,
    /// The part of the target that is drawn, pixels: left, top, width, height; no width: all of it. What the panels
    /// cover is not worth the work.
    area: Vec4,
}

impl Finish {
    /// The pass for a view on a screen of so many pixels a logical pixel; `area` is the scene's part of the window,
    /// logical pixels.
    pub fn of(view: &View, scale_factor: f32, area: Option<Rect>) -> Self {
        let area = area.filter(|a| a.width() >= 16.0 && a.height() >= 16.0).map_or(Vec4::ZERO, |a| {
            let (min, max) = ((a.min * scale_factor).floor(), (a.max * scale_factor).ceil());
            Vec4::new(min.x, min.y, max.x - min.x, max.y - min.y)
        });
        let outlined = view.selected.is_some() || view.hovered.is_some();
        let look = Look::of(view.theme);
        Self {
            top: linear(look.top),
            horizon: linear(look.horizon),
            bottom: linear(look.bottom),
            edge: Vec4::new(0.05, 0.06, 0.08, look.edge_strength),
            selected: linear(look.selected),
            hovered: linear(look.hovered),
            scale: Vec4::new(scale_factor, if outlined { RING } else { 0.0 }, 0.0, 0.0),
            area,
        }
    }
}

/// How many neighbours are asked for an outline.
const RING: f32 = 8.0;

/// Adds the pass.
pub fn plugin(app: &mut App) {
    app.add_plugins((ExtractComponentPlugin::<Finish>::default(), UniformComponentPlugin::<Finish>::default()));
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
    render_app
        .add_systems(RenderStartup, make_pipeline)
        .add_systems(Core3d, draw.in_set(Core3dSystems::PostProcess).before(tonemapping));
}

#[derive(Resource)]
struct FinishPipeline {
    layout: BindGroupLayoutDescriptor,
    pipeline: CachedRenderPipelineId,
}

fn make_pipeline(
    mut commands: Commands,
    assets: Res<AssetServer>,
    fullscreen: Res<FullscreenShader>,
    cache: Res<PipelineCache>,
) {
    let layout = BindGroupLayoutDescriptor::new(
        "finish",
        &BindGroupLayoutEntries::sequential(
            ShaderStages::FRAGMENT,
            (
                texture_2d(TextureSampleType::Float { filterable: false }),
                texture_depth_2d(),
                texture_2d(TextureSampleType::Float { filterable: false }),
                uniform_buffer::<ViewUniform>(true),
                uniform_buffer::<Finish>(true),
            ),
        ),
    );
    let shader = match shaders::finish() {
        ShaderRef::Handle(handle) => handle,
        ShaderRef::Path(path) => assets.load(path),
        ShaderRef::Default => return,
    };
    let pipeline = cache.queue_render_pipeline(RenderPipelineDescriptor {
        label: Some("finish".into()),
        layout: vec![layout.clone()],
        vertex: fullscreen.to_vertex_state(),
        fragment: Some(FragmentState {
            shader,
            targets: vec![Some(ColorTargetState {
                format: TextureFormat::Rgba8UnormSrgb,
                blend: None,
                write_mask: ColorWrites::ALL,
            })],
            ..default()
        }),
        ..default()
    });
    commands.insert_resource(FinishPipeline { layout, pipeline });
}

fn draw(
    view: ViewQuery<(&ViewTarget, &ViewPrepassTextures, &ViewUniformOffset, &DynamicUniformIndex<Finish>, &Finish)>,
    pipeline: Option<Res<FinishPipeline>>,
    cache: Res<PipelineCache>,
    views: Res<ViewUniforms>,
    settings: Res<ComponentUniforms<Finish>>,
    mut ctx: RenderContext,
) {
    let (target, prepass, view_offset, settings_offset, finish) = view.into_inner();
    let Some(pipeline) = pipeline else { return };
    let (Some(ready), Some(views), Some(settings), Some(depth), Some(normal)) = (
        cache.get_render_pipeline(pipeline.pipeline),
        views.uniforms.binding(),
        settings.uniforms().binding(),
        prepass.depth_view(),
        prepass.normal_view(),
    ) else {
        return;
    };
    let post = target.post_process_write();
    let bind_group = ctx.render_device().create_bind_group(
        "finish",
        &cache.get_bind_group_layout(&pipeline.layout),
        &BindGroupEntries::sequential((post.source, depth, normal, views, settings)),
    );
    let mut pass = ctx.command_encoder().begin_render_pass(&RenderPassDescriptor {
        label: Some("finish"),
        color_attachments: &[Some(RenderPassColorAttachment {
            view: post.destination,
            depth_slice: None,
            resolve_target: None,
            ops: Operations::default(),
        })],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    });
    if let Some([x, y, width, height]) = scissor(finish.area, target.main_texture().size()) {
        pass.set_scissor_rect(x, y, width, height);
    }
    pass.set_pipeline(ready);
    pass.set_bind_group(0, &bind_group, &[view_offset.offset, settings_offset.index()]);
    pass.draw(0..3, 0..1);
}

/// The part of a target that an area covers, pixels; none: all of it.
fn scissor(area: Vec4, target: Extent3d) -> Option<[u32; 4]> {
    if area.z <= 0.0 {
        return None;
    }
    let (left, top) = (area.x.max(0.0) as u32, area.y.max(0.0) as u32);
    let right = ((area.x + area.z).max(0.0) as u32).min(target.width);
    let bottom = ((area.y + area.w).max(0.0) as u32).min(target.height);
    (left < right && top < bottom).then(|| [left, top, right - left, bottom - top])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_part_never_leaves_the_target() {
        let target = Extent3d { width: 800, height: 600, depth_or_array_layers: 1 };
        assert_eq!(scissor(Vec4::ZERO, target), None);
        assert_eq!(scissor(Vec4::new(100.0, 40.0, 500.0, 300.0), target), Some([100, 40, 500, 300]));
        // The window has become smaller than the panels know.
        assert_eq!(scissor(Vec4::new(700.0, 40.0, 500.0, 900.0), target), Some([700, 40, 100, 560]));
        assert_eq!(scissor(Vec4::new(900.0, 40.0, 500.0, 300.0), target), None);
        let view = View::default();
        let finish = Finish::of(&view, 1.5, Some(Rect::new(100.0, 40.0, 300.0, 200.0)));
        assert_eq!(finish.area, Vec4::new(150.0, 60.0, 300.0, 240.0));
        assert_eq!(Finish::of(&view, 1.0, None).area, Vec4::ZERO);
    }
}
