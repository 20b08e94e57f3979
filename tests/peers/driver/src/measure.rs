//! Measures the time and memory of this process.

use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub(crate) struct Usage {
    at: Instant,
    user: Duration,
    system: Duration,
}

pub(crate) struct Used {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Usage {
    pub(crate) fn now() -> Self {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the kernel fills `usage`, which is plain numbers and valid when zero.
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
            usage.assume_init()
        };
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
        };
        Self {
            at: Instant::now(),
            user: time(usage.ru_utime),
            system: time(usage.ru_stime),
        }
    }

    pub(crate) fn since(self, before: Self) -> Used {
        Used {
            wall: self.at - before.at,
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}

/// Raises the limit of open files to the maximum.
pub(crate) fn raise_file_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives through both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Resets the peak to the current resident memory, and returns that in KiB.
pub(crate) fn begin_memory() -> u64 {
    // This resets the peak in the kernel (proc(5), clear_refs).
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        eprintln!("the peak of memory counts from the start of the process: {error}");
    }
    status("VmRSS:")
}

pub(crate) fn peak_memory_kib() -> u64 {
    status("VmHWM:")
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
