//! The headers: pool.h is what cbindgen makes of src/capi, every header compiles alone under every
//! standard it promises, and twice in one program.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::tool;

fn header_path() -> PathBuf {
    testkit::root().join("include/memory_pool/pool.h")
}

#[test]
fn the_committed_header_is_a_fresh_one() {
    let mut fresh = Vec::new();
    cbindgen::generate(testkit::root())
        .expect("src/capi is what cbindgen understands")
        .write(&mut fresh);
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(header_path(), &fresh).expect("include/memory_pool is writable");
    }
    let committed = std::fs::read(header_path()).expect("the header is committed");
    assert!(
        committed == fresh,
        "include/memory_pool/pool.h is not what src/capi says; \
         run UPDATE_HEADER=1 cargo test --test header and commit it"
    );
}

/// What the library imports, such as the unwinder, has headers of its own, which say it otherwise.
#[test]
fn the_header_declares_no_function_of_others() {
    let header = std::fs::read_to_string(header_path()).expect("the header is committed");
    let imports = header.lines().filter(|line| line.starts_with("extern "));
    assert_eq!(imports.collect::<Vec<_>>(), ["extern \"C\" {"]);
}

#[test]
fn the_version_of_the_header_is_that_of_the_crate() {
    let header = std::fs::read_to_string(header_path()).expect("the header is committed");
    let version = format!("#define POOL_VERSION_STRING \"{}\"\n", env!("CARGO_PKG_VERSION"));
    assert!(header.contains(&version), "pool.h lacks {version}change it in cbindgen.toml");
}

/// The compiler compares the offsets of the header with the numbers beside them, and the Rust
/// compiler those of the library: so the numbers must be the same.
#[test]
fn the_layouts_that_are_inlined_are_those_of_the_library() {
    let read = |path: &str| std::fs::read_to_string(testkit::root().join(path)).expect(path);
    let header = read("include/memory_pool/pool_inline.h");
    let library = read("src/pool/view.rs");
    let numbers_of = |text: &str, start: &str, end: char| -> Vec<usize> {
        let pieces = text.split(start).skip(1).filter_map(|piece| piece.split_once(end));
        let last =
            pieces.map(|(piece, _)| piece.rsplit(' ').next().unwrap_or("").trim().to_owned());
        last.filter_map(|number| number.parse().ok()).collect()
    };
    let of_header = numbers_of(&header, "POOL_DETAIL_AT(pool_", ')');
    let mut of_library = numbers_of(&library, "offset_of!(", '\n');
    // The words that come first in the view, as one.
    assert_eq!(of_library.remove(11), 0);
    // The key, which the cache comes right after.
    of_library.insert(11, 0);
    assert_eq!(of_header, of_library);
    let version = "pub(crate) const VERSION: u32 = 1;";
    assert!(library.contains(version) && header.contains("#define POOL_INLINE_VERSION 1u\n"));
}

/// Compiles a file that includes `headers` and nothing else.
fn compiles(compiler: &Path, flags: &[&str], headers: &[&str], extension: &str) {
    let name = format!("alone-{}", std::thread::current().name().unwrap_or("?"));
    let file = testkit::scratch(&name).join(format!("alone.{extension}"));
    let text: String = headers.iter().map(|header| format!("#include \"{header}\"\n")).collect();
    std::fs::write(&file, text).expect("target is writable");
    let include = testkit::root().join("include");
    testkit::run(
        Command::new(compiler)
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args(flags)
            .arg("-I")
            .arg(include)
            .arg(&file),
    );
}

const C_STANDARDS: [&str; 4] = ["-std=c99", "-std=c11", "-std=c17", "-std=c2x"];
const CPP_STANDARDS: [&str; 4] = ["-std=c++11", "-std=c++14", "-std=c++17", "-std=c++20"];

fn the_c_header_compiles_alone(c: &str, cpp: &str, how_to_get: &str) {
    let Some(c) = tool::find(c, how_to_get) else { return };
    let Some(cpp) = tool::find(cpp, how_to_get) else { return };
    for header in ["memory_pool/pool.h", "memory_pool/pool_inline.h"] {
        for standard in C_STANDARDS {
            compiles(&c, &[standard, "-Wstrict-prototypes"], &[header, header], "c");
        }
        for standard in CPP_STANDARDS {
            compiles(&cpp, &[standard], &[header, header], "cpp");
        }
    }
}

fn the_cpp_headers_compile_alone(cpp: &str, how_to_get: &str) {
    let Some(cpp) = tool::find(cpp, how_to_get) else { return };
    let folder = testkit::root().join("include/memory_pool");
    let entries = std::fs::read_dir(folder).expect("the headers are there");
    let names = entries.map(|entry| entry.expect("readable").file_name());
    let mut headers: Vec<String> = names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.ends_with(".hpp"))
        .map(|name| format!("memory_pool/{name}"))
        .collect();
    assert!(headers.len() >= 7, "{headers:?}");
    headers.push("common/logging.hpp".to_owned());
    for header in &headers {
        for flags in [vec!["-std=c++20"], vec!["-std=c++20", "-fno-exceptions", "-fno-rtti"]] {
            compiles(&cpp, &flags, &[header, header], "cpp");
        }
    }
}

#[test]
fn the_c_header_compiles_alone_with_gcc() {
    the_c_header_compiles_alone("gcc", "g++", "apt-get install gcc g++");
}

#[test]
fn the_c_header_compiles_alone_with_clang() {
    the_c_header_compiles_alone("clang", "clang++", "apt-get install clang");
}

#[test]
fn the_cpp_headers_compile_alone_with_gcc() {
    the_cpp_headers_compile_alone("g++", "apt-get install g++");
}

#[test]
fn the_cpp_headers_compile_alone_with_clang() {
    the_cpp_headers_compile_alone("clang++", "apt-get install clang");
}

/// Two files of one program that both include everything: nothing may be defined twice.
#[test]
fn headers_can_be_included_by_two_files_of_a_program() {
    let folder = testkit::scratch("two-files");
    let all = "#include \"memory_pool/memory_pool.hpp\"\n#include \"common/logging.hpp\"\n";
    let (one, other) = (folder.join("one.cpp"), folder.join("other.cpp"));
    std::fs::write(&one, format!("{all}void log_it() {{ LOG_INFO(\"one\"); }}\n")).expect("file");
    let main = "void log_it();\nint main() { FixedBlockMemoryPool pool(8, 8); log_it(); }\n";
    std::fs::write(&other, format!("{all}{main}")).expect("file");
    let program = folder.join("program");
    let library = testkit::library::release();
    let mut compiler = testkit::program::compiler(&one);
    compiler.args([&one, &other, &library.archive]).arg("-o").arg(&program);
    testkit::run(compiler.args(testkit::program::SYSTEM_LIBRARIES));
    testkit::run(&mut Command::new(program));
}

/// Templates are compiled when they are used, so a program uses them.
#[test]
fn pools_work_without_exceptions_and_without_rtti() {
    let folder = testkit::scratch("no-exceptions");
    let source = folder.join("main.cpp");
    let main = "#include \"memory_pool/memory_pool.hpp\"\n\
        #include \"memory_pool/report.hpp\"\n\
        template <typename Pool> int use(std::size_t block_size) {\n\
          std::error_code error;\n\
          memory_pool::PoolOptions options(block_size, 8);\n\
          Pool pool = Pool::try_create(options, error);\n\
          if (error) return error == std::errc::invalid_argument && !pool ? 0 : 1;\n\
          return pool.deallocate(pool.allocate()) == POOL_OK ? 0 : 1;\n\
        }\n\
        int use_objects() {\n\
          int heard = 0;\n\
          memory_pool::ObjectPool<std::string> pool(8);\n\
          auto count = [&](const pool_report_t&) { ++heard; };\n\
          auto handler = memory_pool::on_report(pool, count);\n\
          auto owner = pool.make(\"text\");\n\
          std::string* other = pool.create(*owner);\n\
          auto walked = pool.for_each([&](std::string& text) { heard += text == *other; });\n\
          return walked + pool.destroy(other) + (pool.destroy(other) == POOL_OK) + heard - 3;\n\
        }\n\
        int main() {\n\
          pool_set_log_callback(nullptr, nullptr, 0);\n\
          memory_pool::ConcurrentMemoryPool pool(64, 8);\n\
          memory_pool::PoolCache cache = pool.cache();\n\
          return use<FixedBlockMemoryPool>(64) + use<memory_pool::LockFreeMemoryPool>(0) +\n\
            pool.deallocate(pool.allocate_wait()) + cache.deallocate(cache.allocate()) +\n\
            use_objects();\n\
        }\n";
    std::fs::write(&source, main).expect("file");
    let program = folder.join("program");
    let mut compiler = testkit::program::compiler(&source);
    compiler.args(["-fno-exceptions", "-fno-rtti"]).arg(&source);
    compiler.arg(&testkit::library::release().archive).args(testkit::program::SYSTEM_LIBRARIES);
    testkit::run(compiler.arg("-o").arg(&program));
    testkit::run(&mut Command::new(program));
}
