//! Is there anything that can draw? Asked before the engine is started, which would only panic.

use crate::problem::Problem;
use bevy::tasks::block_on;

/// What draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// As the driver names it.
    pub name: String,
    /// The processor draws.
    pub software: bool,
}

/// The adapter the engine will take.
///
/// # Errors
/// When there is none: what to install.
pub fn find() -> Result<Adapter, Problem> {
    let backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
    let mut description = wgpu::InstanceDescriptor::new_without_display_handle();
    description.backends = backends;
    let instance = wgpu::Instance::new(description);
    let options = wgpu::RequestAdapterOptions::default();
    match block_on(instance.request_adapter(&options)) {
        Ok(adapter) => {
            let info = adapter.get_info();
            Ok(Adapter { name: info.name, software: info.device_type == wgpu::DeviceType::Cpu })
        }
        Err(e) => Err(Problem::error("graphics", format!("there is no graphics adapter to draw with ({e})"), REMEDY)),
    }
}

#[cfg(target_os = "linux")]
const REMEDY: &str = "install a Vulkan driver; software drawing needs no GPU: apt-get install mesa-vulkan-drivers";
#[cfg(target_os = "windows")]
const REMEDY: &str = "install the graphics card's driver; Windows' own software adapter (WARP) will do";
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
const REMEDY: &str = "install the graphics card's driver";
