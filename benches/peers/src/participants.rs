//! Who takes part: the pools of this project in each form, and every peer.

/// One who is measured.
#[derive(Debug)]
pub struct Participant {
    /// Its title in every table and chart.
    pub name: &'static str,
    /// The program that speaks for it, and what that is started with.
    pub program: &'static str,
    pub words: &'static [&'static str],
    pub kind: Kind,
    pub called: Called,
    /// The package that it comes from, of Debian or of crates.io.
    pub package: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pool of this project.
    Own,
    /// Somebody else's.
    Peer,
    /// Two empty functions: what calls cost, and no contestant.
    Floor,
}

/// How a program gets at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// By functions of a shared library, which no compiler can look into.
    Function,
    /// By code that is compiled into the program, as far as it goes.
    Inlined,
}

impl Called {
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "called",
            Self::Inlined => "inlined",
        }
    }
}

impl Participant {
    /// More live blocks take it hours: it looks for a free one from the first on.
    pub fn most_live(&self) -> usize {
        if self.name == "lockfree-object-pool" { 1000 } else { usize::MAX }
    }

    /// Whether it needs no more than a compiler.
    pub fn is_always_at_hand(&self) -> bool {
        ["library", "classes", "pmr"].contains(&self.program) || self.name == "glibc malloc"
    }

    /// Measured by a billion calls each, in the whole form.
    pub fn is_measured_longest(&self) -> bool {
        ["SINGLE, locked", "SAFE", "mimalloc", "glibc malloc"].contains(&self.name)
    }
}

const fn own(name: &'static str, word: &'static [&'static str]) -> Participant {
    let (program, called) = ("library", Called::Function);
    Participant { name, program, words: word, kind: Kind::Own, called, package: "" }
}

const fn class(name: &'static str, word: &'static [&'static str]) -> Participant {
    let (program, called) = ("classes", Called::Inlined);
    Participant { name, program, words: word, kind: Kind::Own, called, package: "" }
}

const fn general(
    name: &'static str,
    package: &'static str,
    words: &'static [&'static str],
) -> Participant {
    let (program, called) = ("malloc", Called::Function);
    Participant { name, program, words, kind: Kind::Peer, called, package }
}

const fn inlined(
    name: &'static str,
    program: &'static str,
    package: &'static str,
    words: &'static [&'static str],
) -> Participant {
    Participant { name, program, words, kind: Kind::Peer, called: Called::Inlined, package }
}

const fn function(
    name: &'static str,
    program: &'static str,
    package: &'static str,
    words: &'static [&'static str],
) -> Participant {
    Participant { name, program, words, kind: Kind::Peer, called: Called::Function, package }
}

const fn of_crates(name: &'static str, words: &'static [&'static str]) -> Participant {
    function(name, "crates", words[0], words)
}

/// Libraries are named with the number of their ABI: the packages with the files that programs are
/// compiled with need not be there.
pub const PARTICIPANTS: [Participant; 40] = [
    Participant { kind: Kind::Floor, ..own("two empty calls", &["floor"]) },
    own("SINGLE", &["single"]),
    own("SINGLE, locked", &["single_locked"]),
    own("SAFE", &["safe"]),
    own("LOCK_FREE", &["lock_free"]),
    class("FixedBlockMemoryPool", &["fixed"]),
    class("UncheckedFixedBlockMemoryPool", &["unchecked"]),
    class("PoolCache", &["cache"]),
    general("glibc malloc", "libc6", &["libc.so.6", "malloc", "free"]),
    general("mimalloc", "libmimalloc2.0", &["libmimalloc.so.2", "mi_malloc", "mi_free"]),
    general("jemalloc", "libjemalloc2", &["libjemalloc.so.2", "malloc", "free"]),
    general(
        "tcmalloc",
        "libtcmalloc-minimal4",
        &["libtcmalloc_minimal.so.4", "tc_malloc", "tc_free"],
    ),
    general(
        "TBB scalable_malloc",
        "libtbbmalloc2",
        &["libtbbmalloc.so.2", "scalable_malloc", "scalable_free"],
    ),
    function("tbb::memory_pool", "tbb", "libtbb-dev", &["pool"]),
    inlined("boost::pool", "boost", "libboost-dev", &["pool"]),
    inlined("boost::singleton_pool", "boost", "libboost-dev", &["singleton"]),
    inlined("foonathan memory_pool", "foonathan", "libfoonathan-memory-dev", &["pool"]),
    function("pmr unsynchronized_pool", "pmr", "libstdc++6", &["unsynchronized"]),
    function("pmr synchronized_pool", "pmr", "libstdc++6", &["synchronized"]),
    inlined("DPDK rte_mempool", "dpdk", "libdpdk-dev", &["mempool"]),
    function("APR pool", "apr", "libapr1-dev", &["pool"]),
    of_crates("slab", &["slab"]),
    of_crates("sharded-slab", &["sharded-slab"]),
    of_crates("heapless", &["heapless"]),
    of_crates("lockfree-object-pool", &["lockfree-object-pool"]),
    of_crates("snmalloc-rs", &["snmalloc-rs"]),
    of_crates("mimalloc crate", &["mimalloc"]),
    class("memory_pool::Allocator", &["allocator"]),
    class("memory_pool::ConcurrentAllocator", &["concurrent_allocator"]),
    class("memory_pool::Allocator, given", &["given"]),
    class("memory_pool::MemoryResource", &["memory_resource"]),
    inlined("std::allocator", "containers", "libc6", &["standard"]),
    inlined("std::pmr unsynchronized", "containers", "libstdc++6", &["pmr_unsynchronized"]),
    inlined("std::pmr synchronized", "containers", "libstdc++6", &["pmr_synchronized"]),
    inlined("boost fast_pool_allocator", "boost", "libboost-dev", &["fast_pool_allocator"]),
    inlined("boost, without its mutex", "boost", "libboost-dev", &["fast_null_mutex"]),
    inlined("foonathan std_allocator", "foonathan", "libfoonathan-memory-dev", &["allocator"]),
    inlined("tbb::scalable_allocator", "tbb", "libtbb-dev", &["scalable_allocator"]),
    inlined("tbb::memory_pool_allocator", "tbb", "libtbb-dev", &["pool_allocator"]),
    inlined("mi_stl_allocator", "mimalloc", "libmimalloc-dev", &["allocator"]),
];

/// Those from here on are allocators of containers, and take part in nothing else.
const FIRST_OF_CONTAINERS: usize = 27;

impl Participant {
    /// Whether it is an allocator for containers.
    pub fn is_for_containers(&self) -> bool {
        PARTICIPANTS[FIRST_OF_CONTAINERS..].iter().any(|one| one.name == self.name)
    }
}
