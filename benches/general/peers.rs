//! The general allocators: found if they are installed, and each called by functions of its own.
//!
//! They are opened with names of their own, so that none takes the place of this process's malloc.

use std::ffi::{CStr, c_void};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{BLOCK_SIZE, Contestant, Kind};
use crate::native::{Calls, SharedLibrary};

type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);

/// An allocator behind its `malloc` and its `free`.
#[derive(Clone, Copy)]
pub struct General {
    malloc: Malloc,
    free: Free,
}

impl Calls for General {
    #[inline(always)]
    fn take(&self) -> *mut c_void {
        // SAFETY: no requirements.
        unsafe { (self.malloc)(BLOCK_SIZE) }
    }

    #[inline(always)]
    fn give(&self, block: *mut c_void) {
        // SAFETY: `block` came from `take` of the same allocator.
        unsafe { (self.free)(block) };
    }
}

/// Where an allocator is to be found.
struct Peer {
    name: &'static str,
    library: &'static str,
    malloc: &'static CStr,
    free: &'static CStr,
    package: &'static str,
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "mimalloc",
        library: "libmimalloc.so.2",
        malloc: c"mi_malloc",
        free: c"mi_free",
        package: "libmimalloc2.0",
    },
    Peer {
        name: "tcmalloc",
        library: "libtcmalloc_minimal.so.4",
        malloc: c"tc_malloc",
        free: c"tc_free",
        package: "libtcmalloc-minimal4",
    },
    Peer {
        name: "jemalloc",
        library: "libjemalloc.so.2",
        malloc: c"malloc",
        free: c"free",
        package: "libjemalloc2",
    },
    Peer {
        name: "glibc",
        library: "libc.so.6",
        malloc: c"malloc",
        free: c"free",
        package: "libc6",
    },
];

/// The allocators of this machine.
pub struct Field {
    /// Those that were found.
    pub present: Vec<Contestant>,
    /// A line for each: which file it is, or why it is left out.
    pub remarks: Vec<String>,
}

/// Opens what is installed. May start the process anew, so it comes first.
pub fn open() -> Field {
    let mut field = Field { present: vec![], remarks: vec![] };
    for Peer { name, library, malloc, free, package } in PEERS {
        match SharedLibrary::try_open(Path::new(library)) {
            Ok(library) => {
                // SAFETY: the names have these types in the headers of each.
                let malloc: Malloc = unsafe { library.function(malloc) };
                // SAFETY: as above.
                let free: Free = unsafe { library.function(free) };
                field.remarks.push(format!("{name} is {}", file_of(malloc)));
                field
                    .present
                    .push(Contestant { name, kind: Kind::General(General { malloc, free }) });
            }
            Err(why) => {
                if why.contains("static TLS") {
                    start_anew_with_static_tls();
                }
                let how = format!("apt-get install {package}");
                field.remarks.push(format!("LEFT OUT: {name} ({why}; {how})"));
            }
        }
    }
    field
}

/// The file that a function comes from: that no other library answered in its name.
fn file_of(function: Malloc) -> String {
    // SAFETY: a C struct of pointers, which the call fills.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for.
    if unsafe { libc::dladdr(function as *const c_void, &raw mut found) } == 0 {
        return "in no file".into();
    }
    // SAFETY: the name of an open library.
    let path = unsafe { CStr::from_ptr(found.dli_fname) }.to_string_lossy().into_owned();
    std::fs::canonicalize(&path).map_or(path, |path| path.display().to_string())
}

/// Thread-local variables of libraries that are not made to be opened late need room which the
/// loader sets aside when a process starts. Answers when it has been tried in vain.
fn start_anew_with_static_tls() {
    const TUNABLE: &str = "glibc.rtld.optional_static_tls";
    let before = std::env::var("GLIBC_TUNABLES").unwrap_or_default();
    if before.contains(TUNABLE) {
        return;
    }
    let separator = if before.is_empty() { "" } else { ":" };
    let program = std::env::current_exe().expect("it runs");
    let error = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env("GLIBC_TUNABLES", format!("{before}{separator}{TUNABLE}=16384"))
        .exec();
    eprintln!("the benchmark can't start anew: {error}");
}
