//! Ways to keep a function in a pointer and to call it: pieces of invented C that fit together.

use crate::random::Random;

/// A piece of a program. In its texts `{p}` is the place that holds the pointer, `{v}` the function put there, `{m}` the
/// place behind `d->`, and `{n}` what a hop leads to.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    /// Macros, in the header or in the source.
    pub macros: &'static str,
    /// Definitions of the source.
    pub file: &'static str,
    /// Declarations of the function.
    pub locals: &'static str,
    /// What the function does.
    pub text: &'static str,
    /// The places that it is made for: all others where it begins with `!`, all where it is empty.
    pub only: &'static str,
}

const NONE: Shape = Shape {
    name: "",
    macros: "",
    file: "",
    locals: "",
    text: "",
    only: "",
};

const fn shape(name: &'static str, text: &'static str) -> Shape {
    Shape { name, text, ..NONE }
}

impl Shape {
    const fn macros(self, macros: &'static str) -> Self {
        Self { macros, ..self }
    }

    const fn file(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    const fn locals(self, locals: &'static str) -> Self {
        Self { locals, ..self }
    }

    const fn only(self, only: &'static str) -> Self {
        Self { only, ..self }
    }

    /// Whether it can stand with this place.
    pub fn suits(&self, place: &Shape) -> bool {
        let named = |all: &str| all.split(' ').any(|it| it == place.name);
        match self.only.strip_prefix('!') {
            Some(others) => !named(others),
            None => self.only.is_empty() || named(self.only),
        }
    }
}

/// Where the pointer is kept.
pub const PLACES: &[Shape] = &[
    shape("member", "d->cb"),
    shape("member of a typedef", "d->tcb"),
    shape("nested", "d->in.cb"),
    shape("table", "d->ops->cb"),
    shape("array of structs", "d->arr[1].cb"),
    shape("array", "d->cbs[1]"),
    shape("far", "d->inp->more"),
    shape("global", "example_hook").file("static int (*example_hook)(struct inode *inode);\n"),
    shape("typedef", "example_thook").file("static example_t example_thook;\n"),
    shape("hooks", "example_hooks[2]").file("static example_t example_hooks[4];\n"),
    shape("state", "example_state.cb").file("static struct example_in example_state;\n"),
    shape("void", "d->data"),
    shape("number", "d->number"),
    shape("states", "example_states[x].cb").file("static struct example_in example_states[2];\n"),
];

const GLOBALS: &str = "!global typedef hooks state states";

/// What is put there.
pub const VALUES: &[Shape] = &[
    shape("plain", "example_put"),
    shape("address", "&example_put"),
    shape("cast", "(example_t)example_put"),
    shape("void", "(void *)example_put"),
    shape("choice", "x ? example_put : NULL"),
    shape("other choice", "x > 1 ? NULL : example_put"),
    shape("elvis", "d->other ?: example_put"),
    shape("parens", "(example_put)"),
    shape("alias", "PUT").macros("#define PUT example_put\n"),
    shape("same", "SAME(example_put)").macros("#define SAME(x) (x)\n"),
    shape("pasted", "NAME(put)").macros("#define NAME(x) example_##x\n"),
    shape("arms", "\n#ifdef CONFIG_X\n\t\texample_no\n#else\n\t\texample_put\n#endif\n\t\t"),
    shape("statements", "({ example_put; })"),
    shape("returned", "example_get(x)").file(
        "static example_t example_get(int x)\n{\n\tif (x)\n\t\treturn example_no;\n\treturn example_put;\n}\n",
    ),
    shape("local", "f").locals("\texample_t f = example_put;\n"),
    shape("local choice", "f").locals("\texample_t f = x ? example_put : NULL;\n"),
];

/// Who puts it there.
pub const SETTERS: &[Shape] = &[
    shape("plain", "{p} = {v};"),
    shape("once", "WRITE_ONCE({p}, {v});"),
    shape("rcu", "rcu_assign_pointer({p}, {v});"),
    shape("release", "smp_store_release(&{p}, {v});"),
    shape("exchange", "x = !!xchg(&{p}, {v});"),
    shape("compare", "cmpxchg(&{p}, NULL, {v});"),
    shape("if", "if (x)\n\t\t{p} = example_no;\n\telse\n\t\t{p} = {v};"),
    shape("loop", "for (; x; x--)\n\t\t{p} = {v};"),
    shape("unset", "if (!{p})\n\t\t{p} = {v};"),
    shape("chain", "d->other = {p} = {v};"),
    shape("chain of a local", "{p} = f = {v};").locals("\texample_t f;\n"),
    shape("after another", "{p} = example_no;\n\t{p} = {v};"),
    shape("arms", "#ifdef CONFIG_X\n\t{p} = example_no;\n#else\n\t{p} = {v};\n#endif"),
    shape("macro", "SETIT({v});").macros("#define SETIT(f) {p} = (f)\n"),
    shape("member by macro", "SETM(d, {m}, {v});")
        .macros("#define SETM(o, m, f) do { (o)->m = f; } while (0)\n")
        .only(GLOBALS),
    shape("name by macro", "SETP(d, put);").macros("#define SETP(d, x) {p} = example_##x\n"),
    shape("helper", "example_set(d, {v}, x);")
        .file("static void example_set(struct example *d, example_t f, int x)\n{\n\t{p} = f;\n}\n"),
    shape("two helpers", "example_set(d, {v}, x);").file(
        "static void example_set1(struct example *d, int x, int (*f)(struct inode *))\n{\n\t{p} = f;\n}\n\
         static void example_set(struct example *d, example_t fn, int x)\n{\n\texample_set1(d, x, fn);\n}\n",
    ),
    shape("pointer to it", "*slot = {v};").locals("\texample_t *slot = &{p};\n"),
    shape("literal", "*d = (struct example){ .other = example_no, .cb = {v} };").only("member"),
    shape("local literal", "*d = n;")
        .locals("\tstruct example n = { .cb = {v} };\n")
        .only("member"),
    shape("copy", "e->other = {v};")
        .file("void example_copy(struct example *d, struct example *e, int x)\n{\n\t{p} = e->other;\n}\n"),
    shape("table", "d->ops = &example_ops;")
        .file("static const struct example_ops example_ops = {\n\t.n = 1,\n\t.cb = {v},\n};\n")
        .only("table"),
    shape("positional table", "d->ops = &example_ops;")
        .file("static const struct example_ops example_ops = { 1, {v}, example_no };\n")
        .only("table"),
    shape("tables", "d->ops = &example_ops[x];")
        .file("static const struct example_ops example_ops[] = { { .cb = example_no }, { .cb = {v} } };\n")
        .only("table"),
    shape("second table", "d->ops = &example_ops;")
        .file("static struct example_ops example_none = { .cb = example_no }, example_ops = { .cb = {v} };\n")
        .only("table"),
    shape("row", "d->ops = &example_ops;")
        .macros("#define ROW(f) .n = 1, .cb = (f)\n")
        .file("static const struct example_ops example_ops = { ROW({v}) };\n")
        .only("table"),
    shape("range", "d->ops = &example_ops[x];")
        .file("static struct example_ops example_ops[4] = { [0 ... 3] = { .cb = {v} } };\n")
        .only("table"),
];

/// Who calls it.
pub const CALLS: &[Shape] = &[
    shape("plain", "{p}(b);"),
    shape("star", "(*{p})(b);"),
    shape("parens", "({p})(b);"),
    shape("local", "f(b);").locals("\texample_t f = {p};\n"),
    shape("local star", "(*f)(b);").locals("\tint (*f)(struct inode *) = {p};\n"),
    shape("local later", "f = x ? {p} : NULL;\n\tif (f)\n\t\tf(b);").locals("\tint (*f)(struct inode *);\n"),
    shape("tested", "if ({p})\n\t\t{p}(b);"),
    shape("in a condition", "if ({p} && {p}(b))\n\t\tx = 2;"),
    shape("set in a condition", "if ((f = {p}))\n\t\tf(b);").locals("\texample_t f;\n"),
    shape("once", "READ_ONCE({p})(b);"),
    shape("member by macro", "CALL(d, {m}, b);").macros("#define CALL(o, m, x) (o)->m(x)\n").only(GLOBALS),
    shape("macro", "CALL({p}, b);").macros("#define CALL(f, x) (f)(x)\n"),
    shape("remarks in a macro", "CALL({p}, b);")
        .macros("#define CALL(f /* what, or (how) */, x /* whom */) (f)(x)\n"),
    shape("remarks about a member", "CALL(d, {m}, b);")
        .macros("#define CALL(o, /* which, of (these) */ m, x) (o)->m(x)\n")
        .only(GLOBALS),
    shape("macro of the object", "CALL(b);").macros("#define CALL(x) {p}(x)\n"),
    shape("macro of a local", "CALL(b);").macros("#define CALL(x) f(x)\n").locals("\texample_t f = {p};\n"),
    shape("helper of a local", "CALL(b);")
        .macros("#define CALL(x) do { if (f) example_run(x, f); } while (0)\n")
        .file("static int example_run(struct inode *b, example_t f)\n{\n\treturn f(b);\n}\n")
        .locals("\texample_t f = {p};\n"),
    shape("macro without arguments", "CALL;").macros("#define CALL {p}(b)\n"),
    shape("macro returned", "return CALL;").macros("#define CALL {p}(b)\n"),
    shape("helper", "example_run(b, {p});")
        .file("static int example_run(struct inode *b, example_t f)\n{\n\treturn f(b);\n}\n"),
    shape("two helpers", "example_run(b, {p});").file(
        "static int example_run1(struct inode *b, example_t f)\n{\n\treturn (*f)(b);\n}\n\
         static int example_run(struct inode *b, int (*f)(struct inode *))\n{\n\treturn example_run1(b, f);\n}\n",
    ),
    shape("returned", "return {p}(b);"),
    shape("choice", "x = {p} ? {p}(b) : 0;"),
    shape("elvis", "x = x ?: {p}(b);"),
    shape("arms", "x =\n#ifdef CONFIG_X\n\t\t1;\n#else\n\t\t{p}(b);\n#endif"),
    shape("arms before", "x =\n#ifdef CONFIG_X\n\t\t1 +\n#endif\n\t\t{p}(b);"),
    shape("getter", "example_cb(d, x)(b);")
        .file("static example_t example_cb(struct example *d, int x)\n{\n\treturn {p};\n}\n"),
    shape("getter kept", "f(b);")
        .file("static example_t example_cb(struct example *d, int x)\n{\n\treturn {p};\n}\n")
        .locals("\texample_t f = example_cb(d, x);\n"),
    shape("indirect", "INDIRECT_CALL_1({p}, example_no, b);")
        .macros("#define INDIRECT_CALL_1(f, f1, ...) (likely(f == f1) ? f1(__VA_ARGS__) : f(__VA_ARGS__))\n"),
    shape("comma", "x = 1, {p}(b);"),
    shape("cast", "((int (*)(struct inode *)){p})(b);"),
    shape("cast to a typedef", "((example_t){p})(b);"),
    shape("star of a cast", "(*(example_t)(unsigned long){p})(b);"),
    shape("local cast", "f(b);").locals("\texample_t f = (example_t){p};\n"),
    shape("local cast later", "f = (example_t)(void *){p};\n\tf(b);").locals("\texample_t f;\n"),
    shape("statements", "({ {p}; })(b);"),
    shape("address", "(*f)(b);").locals("\texample_t *f = &{p};\n"),
    shape("while", "while ({p}(b))\n\t\t;"),
    shape("argument", "example_no((void *)(long){p}(b));"),
];

/// How the caller is reached.
pub const HOPS: &[Shape] = &[
    shape("none", "{n}"),
    shape("function", "example_hop(d, b, b->i_flags)").file(
        "static int example_hop(struct example *d, struct inode *b, int x)\n{\n\treturn {n};\n}\n",
    ),
    shape("condition", "example_hop(d, b, b->i_flags)").file(
        "static int example_hop(struct example *d, struct inode *b, int x)\n{\n\tif (x && !{n})\n\t\treturn 1;\n\treturn 0;\n}\n",
    ),
    shape("macro", "HOP(d, b)").macros("#define HOP(d, b) {n}\n"),
    shape("macro without arguments", "HOP").macros("#define HOP {n}\n"),
    shape("statements", "HOP()").macros("#define HOP() ({ int _r = {n}; _r; })\n"),
    shape("inline", "example_hop(d, b, b->i_flags)").macros(
        "int example_call(struct example *d, struct inode *b, int x);\n\
         static inline int example_hop(struct example *d, struct inode *b, int x)\n{\n\treturn {n};\n}\n",
    ),
];

/// Where a function is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    Source,
    Header,
    Elsewhere,
}

/// All of them.
pub const HOMES: &[Home] = &[Home::Source, Home::Header, Home::Elsewhere];

/// The pieces of one program.
#[derive(Clone, Copy)]
pub struct Program {
    pub place: Shape,
    pub value: Shape,
    pub setter: Shape,
    pub call: Shape,
    pub hop: Shape,
    /// Whether the macros stand in the header.
    pub in_header: bool,
    /// Where the function is that is kept.
    pub home: Home,
}

impl Program {
    /// The plainest one.
    pub fn plain() -> Self {
        Self {
            place: PLACES[0],
            value: VALUES[0],
            setter: SETTERS[0],
            call: CALLS[0],
            hop: HOPS[0],
            in_header: true,
            home: Home::Source,
        }
    }

    /// Any, from pieces that fit together.
    pub fn any(random: &mut Random) -> Self {
        loop {
            let program = Self {
                place: *random.one(PLACES),
                value: *random.one(VALUES),
                setter: *random.one(SETTERS),
                call: *random.one(CALLS),
                hop: *random.one(HOPS),
                in_header: random.below(2) == 0,
                home: *random.one(HOMES),
            };
            if program.fits() {
                return program;
            }
        }
    }

    /// Whether the pieces fit together.
    pub fn fits(&self) -> bool {
        let is_line = !self.setter.macros.is_empty() || self.setter.text.contains("_ONCE(");
        let is_static = self.setter.file.contains("{v}");
        self.setter.suits(&self.place)
            && self.call.suits(&self.place)
            && (self.setter.locals.is_empty() || self.value.locals.is_empty())
            && !(is_line && self.value.text.contains('\n'))
            && !(is_static
                && (self.value.text.contains('x') && self.value.name != "plain"
                    || !self.value.locals.is_empty()))
    }

    /// Whether it is known that the chain is missed: some ways to put a function into a pointer are not followed.
    pub fn is_beyond(&self) -> bool {
        let (value, setter) = (self.value.name, self.setter.name);
        let unread = ["copy", "member by macro", "name by macro", "pointer to it"];
        let passes_on = ["helper", "two helpers", "macro"].contains(&setter);
        let is_local = value.starts_with("local") && self.home != Home::Source;
        unread.contains(&setter)
            || ["pasted", "returned"].contains(&value)
            || passes_on && (["same", "statements"].contains(&value) || is_local)
            // Nobody says that it is a pointer to a function but who calls it by its name.
            || passes_on && self.is_of_any_type()
            || setter == "chain of a local" && value == "statements"
            || setter == "row" && value == "alias"
    }

    /// Whether the type of the place does not say that it is a pointer to a function.
    pub fn is_of_any_type(&self) -> bool {
        ["member of a typedef", "void", "number"].contains(&self.place.name)
    }

    /// What it is made of.
    pub fn name(&self) -> String {
        let parts = [
            ("place", self.place.name),
            ("value", self.value.name),
            ("setter", self.setter.name),
            ("call", self.call.name),
            ("hop", self.hop.name),
        ];
        let parts = parts.map(|(what, name)| format!("{what} {name:?}"));
        format!("{}, {:?}", parts.join(", "), self.home)
    }

    /// The files, by path: `->writepages` calls what the pointer holds, which is a function that calls `iput()`.
    pub fn files(&self) -> [(&'static str, String); 3] {
        let place = self.place.text;
        let member = place.strip_prefix("d->").unwrap_or(place);
        let fill = |text: &str, next: &str| {
            text.replace("{p}", place)
                .replace("{m}", member)
                .replace("{v}", self.value.text)
                .replace("{n}", next)
        };
        let call = "example_call(d, b, b->i_flags)";
        let pieces = [self.value, self.setter, self.call, self.hop];
        let macros = pieces.map(|it| fill(it.macros, call)).concat();
        let [_, setter_file, call_file, hop_file] = pieces.map(|it| fill(it.file, call));
        let in_header = |yes: bool| {
            if self.in_header == yes {
                macros.as_str()
            } else {
                ""
            }
        };
        let put = |home: Home| if home == self.home { PUT } else { "" };
        let in_place = format!("static {}", put(Home::Source));
        let source = [
            INCLUDE,
            if self.home == Home::Source {
                &in_place
            } else {
                ""
            },
            NO,
            self.place.file,
            in_header(false),
            self.value.file,
            &setter_file,
            "void example_begin(struct example *d, struct example *e, int x)\n{\n",
            self.value.locals,
            &fill(self.setter.locals, call),
            "\t",
            &fill(self.setter.text, call),
            "\n}\n",
            &call_file,
            "int example_call(struct example *d, struct inode *b, int x)\n{\n",
            &fill(self.call.locals, call),
            "\t",
            &fill(self.call.text, call),
            "\n\treturn 0;\n}\n",
            &hop_file,
            &WRITEPAGES.replace("{n}", &fill(self.hop.text, call)),
        ];
        let inline = format!("static inline {PUT}");
        let header = [
            HEADER,
            match self.home {
                Home::Source => "",
                Home::Header => &inline,
                Home::Elsewhere => "int example_put(struct inode *inode);\n",
            },
            in_header(true),
        ];
        [
            ("fs/example/inode.c", source.concat()),
            ("fs/example/example.h", header.concat()),
            ("fs/example/put.c", [INCLUDE, put(Home::Elsewhere)].concat()),
        ]
    }
}

const HEADER: &str = "\
typedef int (*example_t)(struct inode *inode);
struct example_ops { int n; int (*cb)(struct inode *inode); int (*other)(struct inode *inode); };
struct example_in { int k; example_t cb; int (*more)(struct inode *inode); };
struct example {
	int (*cb)(struct inode *inode);
	int (*other)(struct inode *inode);
	const struct example_ops *ops;
	struct example_in in;
	struct example_in arr[4];
	int (*cbs[4])(struct inode *inode);
	example_t tcb;
	struct example_in *inp;
	void *data;
	unsigned long number;
};
";

const INCLUDE: &str = "#include \"example.h\"\n";

const PUT: &str = "\
int example_put(struct inode *inode)
{
	iput(inode->i_private);
	return 0;
}
";

const NO: &str = "\
static int example_no(struct inode *inode)
{
	return 0;
}
";

const WRITEPAGES: &str = "\
static int example_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct example *d = mapping->i_private_data;
	struct inode *b = mapping->host;

	return {n};
}
static const struct address_space_operations example_aops = {
	.writepages = example_writepages,
};
";
