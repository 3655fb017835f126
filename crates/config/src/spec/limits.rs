//! What an instance may use of its host.

/// Limits of one instance, all of its processes together where the host can count so. `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of memory; beyond them the kernel ends a process of it.
    pub memory: Option<u64>,
    /// Processor time, in thousandths of one processor.
    pub cpu_millis: Option<u32>,
    /// Processes and threads.
    pub tasks: Option<u32>,
    /// Open descriptors of each process.
    pub open_files: Option<u64>,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
