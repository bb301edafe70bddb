//! Typed views of the node kinds that are read: no kind strings elsewhere.

use std::sync::LazyLock;
use tree_sitter::{Language, Node};

macro_rules! kinds {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The node kinds that extraction tells apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { Other, $($variant),* }
        const NAMES: &[(Kind, &str)] = &[$((Kind::$variant, $name)),*];
    };
}

kinds! {
    Error = "ERROR",
    Identifier = "identifier",
    FieldIdentifier = "field_identifier",
    TypeIdentifier = "type_identifier",
    PrimitiveType = "primitive_type",
    NumberLiteral = "number_literal",
    FunctionDefinition = "function_definition",
    FunctionDeclarator = "function_declarator",
    ParameterList = "parameter_list",
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
    SubscriptDesignator = "subscript_designator",
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
    ForStatement = "for_statement",
    UpdateExpression = "update_expression",
    TypeDescriptor = "type_descriptor",
    Comment = "comment",
    PreprocIf = "preproc_if",
    PreprocIfdef = "preproc_ifdef",
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let language: Language = tree_sitter_c::LANGUAGE.into();
    let mut table = vec![Kind::Other; language.node_kind_count()];
    for (id, slot) in table.iter_mut().enumerate() {
        let id = u16::try_from(id).unwrap_or(u16::MAX);
        if let Some(name) = language.node_kind_for_id(id)
            && language.node_kind_is_named(id)
            && let Some((kind, _)) = NAMES.iter().find(|it| it.1 == name)
        {
            *slot = *kind;
        }
    }
    table
});

/// The kind of a node.
pub(crate) fn kind(node: Node<'_>) -> Kind {
    if node.is_error() {
        return Kind::Error;
    }
    KINDS
        .get(node.kind_id() as usize)
        .copied()
        .unwrap_or(Kind::Other)
}

macro_rules! fields {
    ($($function:ident = $name:literal),* $(,)?) => {
        struct Fields { $($function: Option<std::num::NonZeroU16>),* }
        static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
            let language: Language = tree_sitter_c::LANGUAGE.into();
            Fields { $($function: language.field_id_for_name($name)),* }
        });
        $(
            #[doc = concat!("The child in field `", $name, "`.")]
            pub(crate) fn $function(node: Node<'_>) -> Option<Node<'_>> {
                FIELDS.$function.and_then(|id| node.child_by_field_id(id.get()))
            }
        )*
    };
}

fields! {
    declarator = "declarator",
    type_of = "type",
    value = "value",
    function = "function",
    arguments = "arguments",
    argument = "argument",
    field = "field",
    left = "left",
    right = "right",
    body = "body",
    name = "name",
    parameters = "parameters",
    consequence = "consequence",
    alternative = "alternative",
    condition = "condition",
    operator = "operator",
}

/// The named children that are no comments, in order.
pub(crate) fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    std::iter::from_fn(move || {
        while more {
            let child = cursor.node();
            more = cursor.goto_next_sibling();
            if child.is_named() && kind(child) != Kind::Comment {
                return Some(child);
            }
        }
        None
    })
}
