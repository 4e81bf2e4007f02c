//! Is there anything that can draw? Asked before the engine is started, which would only panic.

use crate::problem::Problem;
use bevy::render::settings::WgpuSettings;
use bevy::tasks::block_on;

/// What draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// As the driver names it.
    pub name: String,
    /// The processor draws.
    pub software: bool,
    backends: wgpu::Backends,
}

impl Adapter {
    /// The engine's settings for this adapter.
    pub fn settings(&self) -> WgpuSettings {
        WgpuSettings { backends: Some(self.backends), ..WgpuSettings::default() }
    }
}

/// The adapter the engine will take: Vulkan, Metal or DirectX 12 where there is one, else OpenGL.
///
/// # Errors
/// When there is none: what to install.
pub fn find() -> Result<Adapter, Problem> {
    let tries = match wgpu::Backends::from_env() {
        Some(asked) => vec![asked],
        None => vec![wgpu::Backends::PRIMARY, wgpu::Backends::SECONDARY],
    };
    let mut why = String::new();
    for backends in tries {
        let mut description = wgpu::InstanceDescriptor::new_without_display_handle();
        description.backends = backends;
        let instance = wgpu::Instance::new(description);
        match block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())) {
            Ok(adapter) => {
                let info = adapter.get_info();
                return Ok(Adapter { name: info.name, software: info.device_type == wgpu::DeviceType::Cpu, backends });
            }
            Err(e) if why.is_empty() => why = e.to_string(),
            Err(_) => {}
        }
    }
    Err(Problem::error("graphics", format!("there is no graphics adapter to draw with: {why}"), REMEDY))
}

#[cfg(target_os = "linux")]
const REMEDY: &str = "install a Vulkan driver; software drawing needs no GPU: apt-get install mesa-vulkan-drivers";
#[cfg(target_os = "windows")]
const REMEDY: &str = "install the graphics card's driver; Windows' own software adapter (WARP) will do";
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
const REMEDY: &str = "install the graphics card's driver";
