//! Diagnostics for `-vv`. Off, a hit that goes well does not pay for them: the log's level is a
//! constant once the programs are loaded, so that the verifier removes what would say something,
//! and the saying is a function of its own, so that no register is kept for it elsewhere.

/// Says something in the log, with up to two numbers.
macro_rules! say {
    ($level:ident, $text:literal $(, $number:ident)*) => {{
        #[cold]
        #[inline(never)]
        fn say($($number: u64),*) {
            ::aya_log_ebpf::$level!((), $text $(, $number)*);
        }
        say($($number),*);
    }};
}
pub(crate) use say;
