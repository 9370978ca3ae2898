//! The end: an instruction that no processor executes, so that a debugger or a fault handler sees
//! where it was. A panic, which would be a bug of the library, ends there too.

#[allow(unused_imports, reason = "some processors have no such instruction")]
use core::arch::asm;
use core::panic::PanicInfo;

pub(crate) fn abort() -> ! {
    cfg_select! {
        any(target_arch = "x86", target_arch = "x86_64") => {
            // SAFETY: the fault is the purpose. Where a handler returns from it, the loop waits.
            unsafe { asm!("ud2") }
        }
        any(target_arch = "arm", target_arch = "aarch64") => {
            // SAFETY: as above.
            unsafe { asm!("udf #0") }
        }
        any(target_arch = "riscv32", target_arch = "riscv64") => {
            // SAFETY: as above.
            unsafe { asm!("unimp") }
        }
        _ => {}
    }
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    abort()
}

/// What `body` answers: where panics end the program, there is nothing to catch.
pub(crate) fn without_panic<T>(body: impl FnOnce() -> T) -> Option<T> {
    Some(body())
}

pub(crate) fn write_to_stderr(_bytes: &[u8]) {}

/// Nothing forks here.
pub(crate) fn at_fork(_before: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}
