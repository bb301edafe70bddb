//! The node kinds and fields that are read: no kind strings elsewhere.

use std::sync::LazyLock;
use tree_sitter::Language;

macro_rules! kinds {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The node kinds that extraction tells apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Kind { Other, $($variant),* }
        const KIND_NAMES: &[(Kind, &str)] = &[$((Kind::$variant, $name)),*];
    };
}

kinds! {
    Error = "ERROR",
    TranslationUnit = "translation_unit",
    Identifier = "identifier",
    FieldIdentifier = "field_identifier",
    TypeIdentifier = "type_identifier",
    NumberLiteral = "number_literal",
    StringLiteral = "string_literal",
    CharLiteral = "char_literal",
    ConcatenatedString = "concatenated_string",
    FunctionDefinition = "function_definition",
    FunctionDeclarator = "function_declarator",
    ParameterDeclaration = "parameter_declaration",
    Declaration = "declaration",
    TypeDefinition = "type_definition",
    InitDeclarator = "init_declarator",
    PointerDeclarator = "pointer_declarator",
    ArrayDeclarator = "array_declarator",
    ParenthesizedDeclarator = "parenthesized_declarator",
    AttributedDeclarator = "attributed_declarator",
    StructSpecifier = "struct_specifier",
    UnionSpecifier = "union_specifier",
    EnumSpecifier = "enum_specifier",
    FieldDeclarationList = "field_declaration_list",
    FieldDeclaration = "field_declaration",
    InitializerList = "initializer_list",
    InitializerPair = "initializer_pair",
    FieldDesignator = "field_designator",
    CallExpression = "call_expression",
    ArgumentList = "argument_list",
    FieldExpression = "field_expression",
    AssignmentExpression = "assignment_expression",
    ParenthesizedExpression = "parenthesized_expression",
    PointerExpression = "pointer_expression",
    SubscriptExpression = "subscript_expression",
    CastExpression = "cast_expression",
    ConditionalExpression = "conditional_expression",
    CommaExpression = "comma_expression",
    BinaryExpression = "binary_expression",
    UnaryExpression = "unary_expression",
    GenericExpression = "generic_expression",
    CompoundLiteral = "compound_literal_expression",
    CompoundStatement = "compound_statement",
    ExpressionStatement = "expression_statement",
    IfStatement = "if_statement",
    ElseClause = "else_clause",
    SwitchStatement = "switch_statement",
    CaseStatement = "case_statement",
    ReturnStatement = "return_statement",
    GotoStatement = "goto_statement",
    BreakStatement = "break_statement",
    ContinueStatement = "continue_statement",
    LabeledStatement = "labeled_statement",
    WhileStatement = "while_statement",
    DoStatement = "do_statement",
    ForStatement = "for_statement",
    UpdateExpression = "update_expression",
    TypeDescriptor = "type_descriptor",
    Comment = "comment",
    LinkageSpecification = "linkage_specification",
    PreprocIf = "preproc_if",
    PreprocIfdef = "preproc_ifdef",
    PreprocElse = "preproc_else",
    PreprocElif = "preproc_elif",
    PreprocFunctionDef = "preproc_function_def",
}

impl Kind {
    /// Whether control does not come out at the end of such a statement.
    pub(crate) fn is_jump(self) -> bool {
        matches!(
            self,
            Self::ReturnStatement
                | Self::GotoStatement
                | Self::BreakStatement
                | Self::ContinueStatement
        )
    }

    /// Whether what lies inside such a node is not looked at.
    pub(super) fn is_leaf(self) -> bool {
        matches!(
            self,
            Self::StringLiteral | Self::CharLiteral | Self::ConcatenatedString
        )
    }
}

macro_rules! fields {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The fields that are asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Field { None, $($variant),* }
        const FIELD_NAMES: &[(Field, &str)] = &[$((Field::$variant, $name)),*];
    };
}

fields! {
    Declarator = "declarator",
    Designator = "designator",
    Type = "type",
    Value = "value",
    Function = "function",
    Arguments = "arguments",
    Argument = "argument",
    Member = "field",
    Left = "left",
    Right = "right",
    Body = "body",
    Name = "name",
    Label = "label",
    Parameters = "parameters",
    Consequence = "consequence",
    Alternative = "alternative",
    Condition = "condition",
    Initializer = "initializer",
    Update = "update",
    Operator = "operator",
}

/// By the grammar's numbers.
pub(super) struct Names {
    kinds: Vec<Kind>,
    fields: Vec<Field>,
}

pub(super) static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let language: Language = tree_sitter_c::LANGUAGE.into();
    let mut kinds = vec![Kind::Other; language.node_kind_count()];
    for (id, slot) in (0u16..).zip(&mut kinds) {
        let name = language
            .node_kind_for_id(id)
            .filter(|_| language.node_kind_is_named(id));
        if let Some(known) = KIND_NAMES.iter().find(|it| Some(it.1) == name) {
            *slot = known.0;
        }
    }
    let mut fields = vec![Field::None; language.field_count() + 1];
    for (field, name) in FIELD_NAMES {
        if let Some(id) = language.field_id_for_name(name) {
            fields[usize::from(id.get())] = *field;
        }
    }
    Names { kinds, fields }
});

impl Names {
    pub(super) fn kind(&self, node: tree_sitter::Node<'_>) -> Kind {
        if node.is_error() {
            return Kind::Error;
        }
        let known = self.kinds.get(usize::from(node.kind_id()));
        known.copied().unwrap_or(Kind::Other)
    }

    pub(super) fn field(&self, id: Option<std::num::NonZeroU16>) -> Field {
        let known = id.and_then(|it| self.fields.get(usize::from(it.get())));
        known.copied().unwrap_or(Field::None)
    }
}
