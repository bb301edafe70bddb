//! The few words that the lexical reading must know.

/// See [`is_control`].
macro_rules! control {
    () => {
        b"if"
            | b"for"
            | b"while"
            | b"switch"
            | b"return"
            | b"sizeof"
            | b"typeof"
            | b"__typeof__"
            | b"do"
            | b"else"
            | b"case"
            | b"goto"
            | b"__attribute__"
            | b"asm"
            | b"__asm__"
            | b"_Alignof"
            | b"__alignof__"
            | b"defined"
            | b"__typeof"
            | b"alignof"
            | b"__builtin_offsetof"
            | b"offsetof"
            | b"_Static_assert"
            | b"static_assert"
            | b"__volatile"
            | b"__volatile__"
    };
}

/// See [`is_type_word`].
macro_rules! type_word {
    () => {
        b"void"
            | b"int"
            | b"char"
            | b"long"
            | b"short"
            | b"unsigned"
            | b"signed"
            | b"float"
            | b"double"
            | b"bool"
            | b"_Bool"
            | b"const"
            | b"volatile"
            | b"struct"
            | b"union"
            | b"enum"
            | b"static"
            | b"extern"
            | b"inline"
            | b"typedef"
            | b"register"
            | b"__inline"
            | b"__inline__"
            | b"__always_inline"
            | b"noinline"
    };
}

/// The arguments of an attribute are words, and few: what stands in one is looked for in this many bytes.
pub(crate) const MAX_ATTRIBUTE_BYTES: usize = 128;

/// Macros and functions that are worth what their first argument, or what it points to, holds.
///
/// Sources: `include/asm-generic/{rwonce,barrier}.h`, `include/linux/rcupdate.h`.
pub(crate) fn is_read(word: &[u8]) -> bool {
    matches!(
        word,
        b"READ_ONCE"
            | b"rcu_access_pointer"
            | b"rcu_dereference"
            | b"rcu_dereference_bh"
            | b"rcu_dereference_check"
            | b"rcu_dereference_protected"
            | b"rcu_dereference_raw"
            | b"rcu_dereference_sched"
            | b"smp_load_acquire"
            | b"unrcu_pointer"
    )
}

/// Macros and functions that give their first argument, or what it points to, the value of a later one: of which,
/// from 0.
///
/// Sources: as of [`is_read`], and `include/linux/atomic/atomic-instrumented.h`.
pub(crate) fn value_written(word: &[u8]) -> Option<usize> {
    match word {
        b"WRITE_ONCE"
        | b"rcu_assign_pointer"
        | b"RCU_INIT_POINTER"
        | b"smp_store_release"
        | b"smp_store_mb"
        | b"rcu_replace_pointer"
        | b"xchg" => Some(1),
        b"cmpxchg" => Some(2),
        _ => None,
    }
}

/// Words that stand before `(` without being called.
pub(crate) fn is_control(word: &[u8]) -> bool {
    word == b"volatile" || matches!(word, control!())
}

/// Words of the language, and those that are read like them: whatever stands behind one, it is not called, and no value
/// goes by its name.
#[expect(
    clippy::unnested_or_patterns,
    reason = "the lists have names, and are compared at once: 0.3 % of the instructions of a check"
)]
pub(crate) fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        control!()
            | type_word!()
            | b"_Generic"
            | b"_Noreturn"
            | b"_Thread_local"
            | b"__alignof"
            | b"__asm"
            | b"__auto_type"
            | b"__const"
            | b"__const__"
            | b"__extension__"
            | b"__label__"
            | b"__restrict"
            | b"__restrict__"
            | b"__signed__"
            | b"auto"
            | b"break"
            | b"continue"
            | b"default"
            | b"restrict"
            | b"typeof_unqual"
    )
}

/// Words that can begin a declaration; after a macro use without `;` they begin the next item.
pub(crate) fn is_type_word(word: &[u8]) -> bool {
    matches!(word, type_word!())
}

/// Attribute macros that take arguments and stand beside a function's head.
pub(crate) fn is_annotation(word: &[u8]) -> bool {
    matches!(
        word,
        b"__attribute__"
            | b"__attribute"
            | b"__printf"
            | b"__scanf"
            | b"__aligned"
            | b"__section"
            | b"__alloc_size"
            | b"__acquires"
            | b"__releases"
            | b"__must_hold"
            | b"__cond_acquires"
            | b"__cond_releases"
            | b"__realloc_size"
            | b"__acquires_shared"
            | b"__releases_shared"
            | b"__must_hold_shared"
            | b"__no_context_analysis"
            | b"__guarded_by"
            | b"__pt_guarded_by"
            | b"__counted_by"
            | b"__nonnull"
            | b"__assume_aligned"
            | b"__alias"
            | b"__weak_alias"
            | b"__target"
            | b"__no_sanitize"
            | b"__diag"
            | b"__malloc"
            | b"__context__"
            | b"_Alignas"
            | b"__declspec"
            | b"__copy"
            | b"__cleanup"
            | b"asm"
            | b"__asm__"
            | b"__error"
            | b"__warning"
            | b"nocf_check"
            | b"NO_BRANCH_PROFILING"
            | b"__sized_by"
            | b"__counted_by_le"
            | b"__counted_by_be"
            | b"__typeof__"
            | b"typeof"
            | b"_Static_assert"
            | b"static_assert"
            | b"__flatten"
            | b"__regparm"
            | b"__btf_id"
            | b"__ref"
    )
}

/// Whether the word at `start..end` says, as an attribute of a variable, what runs at the end of its scope: `__cleanup`,
/// and `cleanup` in `__attribute__((cleanup(name)))`.
pub(crate) fn is_cleanup(text: &[u8], start: usize, end: usize) -> bool {
    const ATTRIBUTE: &[u8] = b"__attribute";
    match &text[start..end] {
        b"__cleanup" | b"__cleanup__" => true,
        b"cleanup" => {
            let near = &text[start.saturating_sub(MAX_ATTRIBUTE_BYTES)..start];
            let found = memchr::memmem::rfind(near, ATTRIBUTE);
            let count = |of, text: &[u8]| memchr::memchr_iter(of, text).count();
            found.is_some_and(|it| count(b'(', &near[it..]) >= count(b')', &near[it..]) + 2)
        }
        _ => false,
    }
}

/// Words of the function head that make a definition inline.
pub(crate) fn is_inline(word: &[u8]) -> bool {
    matches!(
        word,
        b"inline" | b"__inline" | b"__inline__" | b"__always_inline"
    )
}
