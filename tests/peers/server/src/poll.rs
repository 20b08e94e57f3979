//! The parts of epoll that the server needs.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

pub(crate) struct Poll {
    epoll: OwnedFd,
}

pub(crate) type Events = Vec<libc::epoll_event>;

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor was just created, and nothing else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll })
    }

    pub(crate) fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, false)
    }

    /// If `room`, also reports when the socket is writable.
    pub(crate) fn change(&self, fd: RawFd, token: u64, room: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, room)
    }

    fn control(&self, operation: i32, fd: RawFd, token: u64, room: bool) -> io::Result<()> {
        let room = if room { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event {
            events: (libc::EPOLLIN | libc::EPOLLRDHUP | room) as u32,
            u64: token,
        };
        // SAFETY: `event` lives through the call.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &mut event) })
            .map(drop)
    }

    /// Waits until something happens or `timeout` is over; `events` holds what happened.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        events.clear();
        // SAFETY: the kernel writes at most `capacity` events, and says how many; the timespec
        // lives through the call.
        unsafe {
            let count = libc::epoll_pwait2(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.capacity() as i32,
                timeout.as_ref().map_or(std::ptr::null(), |timeout| timeout),
                std::ptr::null(),
            );
            match check(count) {
                Ok(count) => events.set_len(count as usize),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn check(result: i32) -> io::Result<i32> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}
