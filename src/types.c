/* The types of the results: tuples whose items have names. */
#include "objects.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static PyStructSequence_Field SCAN_FIELDS[] = {
    {"format", "'elf', 'macho' or 'pe'"},
    {"fat", "whether this is a fat (universal) Mach-O file"},
    {"slices", "the binaries inside: one unless the file is fat"},
    {NULL, NULL},
};

static PyStructSequence_Field SLICE_FIELDS[] = {
    {"offset", "where the slice begins in the buffer"},
    {"size", "bytes of the slice"},
    {"arch", "processor, as platform tags of Linux spell it; 'arm64' in Mach-O and PE"},
    {"bits", "32 or 64"},
    {"endian", "'little' or 'big'"},
    {"kind", "'executable', 'shared', 'bundle', 'object' or 'other'"},
    {"name", "soname, install name or export directory name, or None"},
    {"interpreter", "ELF program interpreter, or None"},
    {"needed", "libraries that it asks for"},
    {"rpaths", "search paths that it carries"},
    {"versions", "ELF: symbol versions that it asks for"},
    {"imports", "undefined dynamic symbols"},
    {"exports", "names of defined and visible dynamic symbols"},
    {"min_os", "Mach-O: oldest version of the system, or None"},
    {"sdk", "Mach-O: version of the SDK, or None"},
    {"os", "ELF OS ABI, Mach-O platform or PE subsystem"},
    {"signed", "whether it carries a code signature; None where the format has none"},
    {"executable_stack", "whether it asks for an executable stack; None where it cannot"},
    {"relro", "ELF: 'partial' or 'full' read-only relocations, or None"},
    {"writable_executable", "number of segments or sections that are writable and executable"},
    {"debug_bytes", "bytes of debug information"},
    {"symbol_bytes", "bytes of a symbol table that could be stripped"},
    {"code_bytes", "bytes of executable content"},
    {"data_bytes", "bytes of other mapped content"},
    {"flags", "further facts, such as 'pie' or 'textrel'"},
    {NULL, NULL},
};

static PyStructSequence_Field LIBRARY_FIELDS[] = {
    {"name", "as the binary asks for it"},
    {"how", "'required', 'weak', 'reexport', 'upward', 'lazy' or 'delay'"},
    {NULL, NULL},
};

static PyStructSequence_Field RPATH_FIELDS[] = {
    {"path", "one directory"},
    {"how", "'rpath' or 'runpath'"},
    {NULL, NULL},
};

static PyStructSequence_Field VERSION_FIELDS[] = {
    {"library", "library that must offer the version"},
    {"version", "such as 'GLIBC_2.17'"},
    {"symbol", "first symbol that asks for it, or None"},
    {NULL, NULL},
};

static PyStructSequence_Field SYMBOL_FIELDS[] = {
    {"name", "without the leading underscore of Mach-O; '#123' for an ordinal of PE"},
    {"library", "library that must offer it, or None"},
    {"version", "version that is asked for, or None"},
    {"weak", "whether it may be missing"},
    {NULL, NULL},
};

/* Every type is a tuple with names; all of a type's fields count as items. */
static PyTypeObject *add_type(PyObject *module, const char *name, const char *doc,
                              PyStructSequence_Field *fields, size_t fields_size)
{
    PyStructSequence_Desc description = {name, doc, fields, (int)fields_size - 1};
    PyTypeObject *type = PyStructSequence_NewType(&description);
    if (type && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

int wk_types_init(wk_types *types, PyObject *module)
{
#define ADD(member, name, doc, fields) \
    ((types->member = add_type(module, "wheelkit._core." name, doc, fields, COUNT(fields))) != NULL)
    const int added =
        ADD(scan, "Scan", "What is in one ELF, Mach-O or PE file.", SCAN_FIELDS) &&
        ADD(slice, "Slice", "Facts about one binary.", SLICE_FIELDS) &&
        ADD(library, "Library", "A library that a binary asks for.", LIBRARY_FIELDS) &&
        ADD(rpath, "Rpath", "A search path that a binary carries.", RPATH_FIELDS) &&
        ADD(version, "Version", "An ELF symbol version that a binary asks for.", VERSION_FIELDS) &&
        ADD(symbol, "Symbol", "An undefined dynamic symbol.", SYMBOL_FIELDS);
#undef ADD
    return added ? 0 : -1;
}

int wk_types_traverse(wk_types *types, visitproc visit, void *arg)
{
    Py_VISIT(types->scan);
    Py_VISIT(types->slice);
    Py_VISIT(types->library);
    Py_VISIT(types->rpath);
    Py_VISIT(types->version);
    Py_VISIT(types->symbol);
    return 0;
}

void wk_types_clear(wk_types *types)
{
    Py_CLEAR(types->scan);
    Py_CLEAR(types->slice);
    Py_CLEAR(types->library);
    Py_CLEAR(types->rpath);
    Py_CLEAR(types->version);
    Py_CLEAR(types->symbol);
}
