//! gdb/memory_pool.py, which gdb finds in the library itself: in live processes and core dumps of
//! programs around the release build, stripped ones too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::library::{self, Library};
use testkit::program::{LINKAGES, Linkage, build_with, compiler};
use testkit::{root, scratch, tool};

/// What comes after this line is compared.
const MARK: &str = "-ex=echo -- from here\\n";

fn source() -> PathBuf {
    root().join("tests/gdb/pools.c")
}

fn script() -> PathBuf {
    root().join("gdb/memory_pool.py")
}

/// Linked without what nobody uses.
fn pools_program(library: &Library, linkage: Linkage, folder: &Path, flags: &[&str]) -> PathBuf {
    let mut compiler = compiler(&source());
    compiler.arg("-Wl,--gc-sections").args(flags);
    build_with(compiler, &source(), library, linkage, folder)
}

/// Of the program, whose variables the commands name.
const WITH_SYMBOLS: [&str; 2] = ["-g", "-O0"];

/// gdb with commands, and without what the user of this machine told it. What lies below `trusted`
/// may load scripts.
fn gdb(trusted: &Path) -> Option<Command> {
    let mut gdb = Command::new(tool::find("gdb", "apt-get install gdb")?);
    gdb.args(["-nx", "-batch", "-iex=set debuginfod enabled off", "-iex=set width 0"]);
    gdb.arg(format!("-iex=set auto-load safe-path {}", trusted.display()));
    gdb.env_remove("MEMORY_POOL_CHECKS");
    Some(gdb)
}

fn trusted() -> PathBuf {
    root().join("target")
}

/// What was printed after the mark, an address as ADDRESS and blanks as one.
fn after_mark(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let (_, said) = stdout.split_once("-- from here\n").unwrap_or_else(|| {
        panic!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    masked(said)
}

fn masked(said: &str) -> String {
    let line = |line: &str| {
        let words = line.split(' ').filter(|word| !word.is_empty()).map(|word| {
            let tail: String = word.chars().skip_while(|c| c.is_ascii_alphanumeric()).collect();
            let is_address = word.starts_with("0x") && word != "0x0";
            if is_address { format!("ADDRESS{tail}") } else { word.to_owned() }
        });
        words.collect::<Vec<_>>().join(" ") + "\n"
    };
    said.lines().map(line).collect()
}

/// What it complains of, without what gdb says by itself.
fn complaints(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    // It also says that the sources of the C library are not here.
    let of_gdb = |line: &str| line.starts_with("warning: ") || line.ends_with("file or directory.");
    let ours = stderr.lines().filter(|line| !of_gdb(line));
    masked(&ours.flat_map(|line| [line, "\n"]).collect::<String>())
}

/// Of the program at its end.
const POOLS: &str = "\
handle name mode checks block size stride capacity in use free bytes
ADDRESS any thread safe standard 24 24 100 3 97 2400
ADDRESS any thread, trusted safe none 24 24 100 ? ? 2400
ADDRESS one owner single standard 24 24 100 3 97 2400
ADDRESS one owner, trusted single none 24 24 100 3 97 2400
ADDRESS signals lock-free standard 24 24 100 3 97 2400
ADDRESS signals, trusted lock-free none 24 24 100 3 97 2400
ADDRESS cached safe standard 24 24 100 1 99 2400
ADDRESS at hand single standard 24 24 100 3 97 2400
ADDRESS wide single standard 24 24 100 50 50 2400
ADDRESS in a buffer safe standard 24 24 100 3 97 2400
ADDRESS in a buffer, trusted safe none 24 24 100 3 97 2400
ADDRESS in a buffer, signals lock-free standard 24 24 100 3 97 2400
";

const SESSION: [(&str, &str); 14] = [
    ("info pools", POOLS),
    (
        "print pool",
        "$1 = ADDRESS (pool \"any thread\", safe, 3 of 100 blocks of 24 bytes in use)\n",
    ),
    ("print dead", "$2 = ADDRESS (no live pool)\n"),
    ("print null", "$3 = 0x0\n"),
    (
        "print trusted",
        "$4 = ADDRESS (pool \"one owner, trusted\", single, 3 of 100 blocks of 24 bytes in use)\n",
    ),
    (
        "pool blocks pool",
        "pool \"any thread\" ADDRESS, blocks 0-99 of 100\nlive 0, 2-3\nfree 1\nuntouched 4-99\n",
    ),
    (
        "pool blocks at_hand",
        "pool \"at hand\" ADDRESS, blocks 0-99 of 100\nlive 0, 2-3\nfree 1\nuntouched 4-99\n",
    ),
    ("pool blocks signals live 2", "pool \"signals\" ADDRESS, blocks 2-99 of 100\nlive 2-3\n"),
    (
        "pool blocks wide free 10 8",
        "pool \"wide\" ADDRESS, blocks 10-17 of 100\nfree 10, 12, 14, 16\n",
    ),
    ("pool blocks wide untouched", "pool \"wide\" ADDRESS, blocks 0-99 of 100\nuntouched none\n"),
    (
        "pool blocks trusted",
        "pool \"one owner, trusted\" ADDRESS, blocks 0-99 of 100\n\
         unknown 0-3\nuntouched 4-99\n\
         unknown: live or free, which a pool of POOL_CHECKS_NONE does not know\n",
    ),
    (
        "pool block known_block+3",
        "ADDRESS is 3 bytes into block 2 of pool \"any thread\" ADDRESS: live\n\
         ADDRESS 61 20 6b 6e 6f 77 6e 20 74 65 78 74 00 00 00 00 a known text....\n\
         ADDRESS 00 00 00 00 00 00 00 00 ........\n",
    ),
    (
        "pool block known_block+24*97",
        "ADDRESS is block 99 of pool \"any thread\" ADDRESS: untouched\n\
         ADDRESS 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ................\n\
         ADDRESS 00 00 00 00 00 00 00 00 ........\n",
    ),
    ("pool block known_block+24*98", "ADDRESS lies in no block of a live pool.\n"),
];

/// The commands of the session in the frame that has the handles.
fn session(gdb: &mut Command) -> &mut Command {
    gdb.args(["-ex=frame function end", MARK]);
    gdb.args(SESSION.map(|(command, _)| format!("-ex={command}")))
}

fn said_in_session() -> String {
    SESSION.map(|(_, said)| said).concat()
}

#[test]
fn a_program_without_the_library_is_told_so() {
    let folder = scratch("gdb-unrelated");
    let Some(mut gdb) = gdb(&trusted()) else { return };
    let source = folder.join("unrelated.c");
    fs::write(&source, "int main(void) { return 0; }\n").expect("scratch is writable");
    let program = folder.join("unrelated");
    let mut compiler = compiler(&source);
    testkit::run(compiler.arg(&source).arg("-o").arg(&program));
    gdb.arg("-x").arg(script()).args(["-ex=info pools", "-ex=break main", "-ex=run"]);
    gdb.args(["-ex=info pools", "-ex=pool block 64", "-ex=print (void *)0"]).arg(program);
    let none = "There is no memory_pool here: neither a section memory_pool_debug nor a symbol \
                pool_debug_layout.\n";
    let not_running = "The program does not run, and there is no core dump.\n";
    assert_eq!(complaints(&testkit::output(&mut gdb)), [not_running, none, none].concat());
}

#[test]
fn what_cannot_be_answered_is_said_in_a_line() {
    let folder = scratch("gdb-wrong");
    let Some(mut gdb) = gdb(&trusted()) else { return };
    let program = pools_program(library::release(), Linkage::Static, &folder, &WITH_SYMBOLS);
    let wrong = [
        ("info pools all", "Usage: info pools\n"),
        ("pool blocks", "Usage: pool blocks HANDLE [live|free|untouched] [FROM [COUNT]]\n"),
        (
            "pool blocks wide 1 2 3",
            "Usage: pool blocks HANDLE [live|free|untouched] [FROM [COUNT]]\n",
        ),
        ("pool blocks nonsense", "No symbol \"nonsense\" in current context.\n"),
        ("pool blocks dead", "ADDRESS is no live pool; `info pools` lists them.\n"),
        ("pool blocks 0", "0x0 is no live pool; `info pools` lists them.\n"),
        ("pool blocks wide 100", "pool \"wide\" ADDRESS: it has 100 blocks.\n"),
        ("pool blocks wide 0 0", "pool \"wide\" ADDRESS: it has 100 blocks.\n"),
        (
            "pool blocks trusted free",
            "pool \"one owner, trusted\" ADDRESS: POOL_CHECKS_NONE, so this is not known.\n",
        ),
        ("pool block", "Usage: pool block ADDRESS\n"),
    ];
    gdb.args(["-ex=run", "-ex=frame function end"]);
    gdb.args(wrong.map(|(command, _)| format!("-ex={command}"))).arg(program);
    assert_eq!(complaints(&testkit::output(&mut gdb)), wrong.map(|(_, said)| said).concat());
}

/// Commands that write where a library of another version, or a stray write, would have.
#[test]
fn what_this_script_does_not_know_does_not_stop_it() {
    let folder = scratch("gdb-damaged");
    let Some(mut gdb) = gdb(&trusted()) else { return };
    let program = pools_program(library::release(), Linkage::Static, &folder, &WITH_SYMBOLS);
    let write = |to: &str, bytes: &str| {
        format!("-ex=python gdb.selected_inferior().write_memory({to}, {bytes})")
    };
    let layout = "int(gdb.parse_and_eval('&pool_debug_layout'))";
    let target = "-ex=python target = MemoryPoolTarget()";
    let find = "-ex=python pool = target.find(MemoryPoolCommand.number('pool'))";
    gdb.args(["-ex=run", "-ex=frame function end", target, find]);
    gdb.arg(write("pool.at('tag_at')", "b'\\xFE'"));
    // The first byte of the ledger is that of block 0.
    gdb.arg("-ex=python wide = target.find(MemoryPoolCommand.number('wide')).load()");
    gdb.arg(write("wide.word('table_end_at') - 1", "b'\\x07'"));
    let entry = "pool.layout.entries + pool.layout.entry_pool_at";
    gdb.arg(write(entry, "b'\\x08' + bytes(7)")).args([MARK, "-ex=info pools", "-ex=print pool"]);
    gdb.args(["-ex=pool blocks pool", "-ex=python MemoryPoolBlocks.RUNS_MAX = 3"]);
    gdb.args(["-ex=pool blocks wide", "-ex=pool block 8"]);
    gdb.arg(write(&format!("{layout} + 8"), "b'\\x63'")).arg("-ex=info pools");
    gdb.arg(write(layout, "b'\\x00'")).args(["-ex=info pools", "-ex=print pool"]);
    let output = testkit::output(gdb.arg(program));

    let row = "ADDRESS any thread safe standard 24 24 100 3 97 2400";
    let unknown = "ADDRESS any thread unknown to this script ? 24 24 ? ? ? ?";
    let gone = "ADDRESS (its memory can't be read)";
    let pools = POOLS.replace(row, unknown);
    let pools = pools.replace("ADDRESS in a buffer safe standard 24 24 100 3 97 2400", gone);
    let unlike = "At ADDRESS is no layout of memory_pool: this program or library is not the one \
                  that ran, or its memory is damaged.";
    let said = [
        &pools,
        "$1 = ADDRESS (pool \"any thread\", unknown to this script, ? of ? blocks of 24 bytes in \
         use)\n",
        "pool \"wide\" ADDRESS, blocks 0-99 of 100\nlive 1\nfree 2\ndamaged 0\n",
        "There are more, from block 3 on.\nADDRESS lies in no block of a live pool.\n",
        &format!("$2 = ADDRESS ({unlike})\n"),
    ];
    assert_eq!(after_mark(&output), said.concat());
    let complained = [
        "pool \"any thread\" ADDRESS: its engine is unknown to this script.\n",
        "This memory_pool has a layout of version 99, and this script knows 4: source the \
         library's own.\n",
        &format!("{unlike}\n"),
    ];
    assert_eq!(complaints(&output), complained.concat());
}

#[test]
fn before_the_first_pool_there_is_none() {
    let folder = scratch("gdb-none");
    for linkage in LINKAGES {
        let Some(mut gdb) = gdb(&trusted()) else { return };
        let program = pools_program(library::release(), linkage, &folder, &WITH_SYMBOLS);
        gdb.args(["-ex=break main", "-ex=run", MARK, "-ex=info pools"]).arg(program);
        assert_eq!(after_mark(&testkit::output(&mut gdb)), "No pool is live.\n");
    }
}

#[test]
fn a_live_process_and_its_core_dump_tell_the_same() {
    let folder = scratch("gdb-session");
    for linkage in LINKAGES {
        let Some(mut live) = gdb(&trusted()) else { return };
        let program = pools_program(library::release(), linkage, &folder, &WITH_SYMBOLS);
        let core = folder.join("core");
        live.arg("-ex=run").arg(format!("-ex=generate-core-file {}", core.display()));
        let output = testkit::output(session(&mut live).arg(&program));
        assert_eq!(after_mark(&output), said_in_session(), "{linkage:?}");

        let Some(mut dead) = gdb(&trusted()) else { return };
        let output = testkit::output(session(&mut dead).arg(&program).arg(&core));
        assert_eq!(after_mark(&output), said_in_session(), "{linkage:?}, core dump");
    }
}

#[test]
fn a_debug_build_of_the_library_tells_the_same() {
    let folder = scratch("gdb-debug");
    for linkage in LINKAGES {
        let Some(mut gdb) = gdb(&trusted()) else { return };
        let program = pools_program(library::debug(), linkage, &folder, &WITH_SYMBOLS);
        let output = testkit::output(session(gdb.arg("-ex=run")).arg(&program));
        assert_eq!(after_mark(&output), said_in_session(), "{linkage:?}");
    }
}

#[test]
fn stripped_files_tell_what_needs_no_symbols() {
    let Some(strip) = tool::find("strip", "apt-get install binutils") else { return };
    let folder = scratch("gdb-stripped");
    let released = library::release();
    let own = Library { shared: folder.join("libpool.so"), archive: released.archive.clone() };
    fs::copy(&released.shared, &own.shared).expect("scratch is writable");
    testkit::run(Command::new(&strip).arg(&own.shared));
    for linkage in LINKAGES {
        let Some(mut live) = gdb(&trusted()) else { return };
        let program = pools_program(&own, linkage, &folder, &["-flto=auto", "-s"]);
        let core = folder.join("core");
        live.arg("-ex=run").arg(format!("-ex=generate-core-file {}", core.display()));
        live.args([MARK, "-ex=info pools"]).arg(&program);
        assert_eq!(after_mark(&testkit::output(&mut live)), POOLS, "{linkage:?}");

        let Some(mut dead) = gdb(&trusted()) else { return };
        dead.args([MARK, "-ex=info pools"]).arg(&program).arg(&core);
        assert_eq!(after_mark(&testkit::output(&mut dead)), POOLS, "{linkage:?}, core dump");
    }
}

/// As docs/debugging.md says.
#[test]
fn where_gdb_is_not_told_to_trust_the_file_the_script_can_be_sourced() {
    let folder = scratch("gdb-distrusted");
    let program = pools_program(library::release(), Linkage::Static, &folder, &WITH_SYMBOLS);
    let Some(mut declined) = gdb(Path::new("/nowhere")) else { return };
    let output = testkit::output(declined.args(["-ex=run", "-ex=info pools"]).arg(&program));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("auto-loading has been declined by your `auto-load safe-path'"),
        "{said}"
    );
    assert!(said.contains("Undefined info command: \"pools\""), "{said}");

    let Some(mut sourced) = gdb(Path::new("/nowhere")) else { return };
    sourced.arg("-ex=run").arg("-x").arg(script());
    sourced.arg(format!("-ex=source {}", script().display()));
    let output = testkit::output(sourced.args([MARK, "-ex=info pools"]).arg(&program));
    assert_eq!(after_mark(&output), POOLS);
}

/// tests/cmake.rs looks whether an install into /usr puts it there.
#[test]
fn a_script_in_the_folder_that_gdb_trusts_is_read_for_a_library_that_it_does_not_trust() {
    let folder = scratch("gdb-installed");
    let released = library::release();
    let own = Library { shared: folder.join("libpool.so.1"), archive: released.archive.clone() };
    fs::copy(&released.shared, &own.shared).expect("scratch is writable");
    let scripts = folder.join("auto-load");
    let beside = scripts.join(folder.strip_prefix("/").expect("an absolute path"));
    fs::create_dir_all(&beside).expect("scratch is writable");
    fs::copy(script(), beside.join("libpool.so.1-gdb.py")).expect("scratch is writable");
    let Some(mut gdb) = gdb(&scripts) else { return };
    gdb.arg(format!("-iex=set auto-load scripts-directory {}", scripts.display()));
    let program = pools_program(&own, Linkage::Shared, &folder, &WITH_SYMBOLS);
    let output = testkit::output(gdb.args(["-ex=run", MARK, "-ex=info pools"]).arg(program));
    assert_eq!(after_mark(&output), POOLS);
}

/// Its commands are those of the session here, in that order.
#[test]
fn the_session_of_the_documentation_is_real() {
    let page = root().join("docs/debugging.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (_, shown) = page.split_once("```text\n(gdb) info pools\n").expect("a session");
    let (shown, _) = shown.split_once("```").expect("its end");
    let shown = format!("info pools\n{shown}");
    let mut session = SESSION.iter();
    let mut count = 0;
    for step in shown.split("(gdb) ") {
        let (command, said) = step.split_once('\n').expect("a command");
        let real = session.find(|(name, _)| *name == command);
        assert_eq!(real.map(|(_, said)| *said), Some(masked(said).as_str()), "{command}");
        count += 1;
    }
    assert!(count >= 5, "{shown}");
}

/// The names between two lines, in order.
fn names(text: &str, from: &str, to: &str) -> Vec<String> {
    let (_, rest) = text.split_once(from).expect(from);
    let (list, _) = rest.split_once(to).expect(to);
    let fields = list.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let words = fields.flat_map(|line| line.split(':').next().unwrap_or("").split_whitespace());
    words.map(str::to_owned).collect()
}

#[test]
fn the_script_names_the_fields_of_the_library_in_their_order() {
    let script = fs::read_to_string(script()).expect("the script is there");
    let library = root().join("src/pool/debug.rs");
    let library = fs::read_to_string(library).expect("the layout is there");
    let mut fields = names(&library, "pub(crate) struct DebugLayout {\n", "}\n");
    assert_eq!(fields.pop().as_deref(), Some("engines"));
    assert_eq!(fields, names(&script, "    FIELDS = \"\"\"\n", "\"\"\""));
    let engine = names(&library, "struct EngineLayout {\n", "}\n");
    assert_eq!(engine, names(&script, "    ENGINE_FIELDS = \"\"\"\n", "\"\"\""));
}
