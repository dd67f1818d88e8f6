/* The types of the results, which are struct sequences. */
#include "objects.h"

/* The fields of the types. They never change, but they are not const, because PyStructSequence_Desc has a
 * pointer to mutable fields. */
static PyStructSequence_Field SCAN_FIELDS[] = {
    {"format", "file format: 'elf', 'macho' or 'pe'"},
    {"fat", "whether the file is a fat (universal) Mach-O file"},
    {"slices", "binaries in the file; one unless the file is fat"},
    {NULL, NULL},
};

static PyStructSequence_Field SLICE_FIELDS[] = {
    {"offset", "offset of the slice in the buffer"},
    {"size", "size of the slice in bytes"},
    {"arch", "processor, as in Linux platform tags; 'arm64' in Mach-O and PE"},
    {"bits", "word size: 32 or 64"},
    {"endian", "byte order: 'little' or 'big'"},
    {"kind", "file type: 'executable', 'shared', 'bundle', 'object' or 'other'"},
    {"name", "soname, install name or export directory name, or None"},
    {"interpreter", "ELF program interpreter, or None"},
    {"needed", "libraries that the binary needs"},
    {"rpaths", "search paths of the binary"},
    {"versions", "ELF: symbol versions that the binary needs"},
    {"imports", "undefined dynamic symbols"},
    {"exports", "names of defined dynamic symbols that other binaries can use"},
    {"min_os", "Mach-O: minimum OS version, or None"},
    {"sdk", "Mach-O: SDK version, or None"},
    {"os", "ELF OS ABI, Mach-O platform or PE subsystem"},
    {"signed", "whether the binary has a code signature; None in ELF"},
    {"executable_stack", "whether the stack is executable; None if the format does not specify it"},
    {"relro", "ELF: 'partial' or 'full' RELRO, or None"},
    {"writable_executable", "number of segments or sections that are both writable and executable"},
    {"debug_bytes", "size of debug information in bytes"},
    {"symbol_bytes", "size of the symbol table that strip would remove, in bytes"},
    {"code_bytes", "size of executable content in bytes"},
    {"data_bytes", "size of other mapped content in bytes"},
    {"flags", "other properties, such as 'pie' or 'textrel'"},
    {"refusal", "why the loader refuses the binary although it is readable, or None"},
    {"digests", "Mach-O: what the code signature has digests of"},
    {"definitions", "ELF: symbol versions that the binary provides"},
    {"page_size", "ELF: largest page size that the segments can be mapped with"},
    {"alignment", "ELF: smallest alignment that a load segment declares"},
    {"tls_bytes", "ELF: size of thread-local storage in bytes"},
    {"isa", "ELF for x86: needed level of x86-64, from 1 to 4; 0 if unspecified"},
    {"faults", "what a loader refuses, or reads differently than other tools, such as 'noopen'"},
    {NULL, NULL},
};

static PyStructSequence_Field LIBRARY_FIELDS[] = {
    {"name", "name under which the binary needs the library"},
    {"how", "kind of dependency: 'required', 'weak', 'reexport', 'upward', 'lazy' or 'delay'"},
    {NULL, NULL},
};

static PyStructSequence_Field RPATH_FIELDS[] = {
    {"path", "a directory"},
    {"how", "kind of entry: 'rpath' or 'runpath'"},
    {NULL, NULL},
};

static PyStructSequence_Field VERSION_FIELDS[] = {
    {"library", "library that must provide the version"},
    {"version", "name of the version, such as 'GLIBC_2.17'"},
    {"symbol", "first symbol that needs the version, or None"},
    {"weak", "whether the library may lack the version"},
    {NULL, NULL},
};

static PyStructSequence_Field SYMBOL_FIELDS[] = {
    {"name", "name without the leading underscore of Mach-O; '#123' for a PE ordinal"},
    {"library", "library that must provide the symbol, or None"},
    {"version", "version of the symbol that the binary needs, or None"},
    {"weak", "whether the symbol may be missing"},
    {NULL, NULL},
};

static PyStructSequence_Field DIGEST_FIELDS[] = {
    {"algorithm", "hash: 'sha1', 'sha256' or 'sha384'"},
    {"offset", "offset of the first byte in the slice"},
    {"size", "number of bytes"},
    {"chunk", "number of bytes that each digest is of; the last may be of less"},
    {"digests", "offset of the first digest in the slice"},
    {"length", "size of each digest in bytes"},
    {NULL, NULL},
};

/* Create a type and add it to the module. Return NULL with an exception set on failure. All fields are
 * items of the tuple; `fields_size` includes the sentinel. */
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
    ((types->member = add_type(module, "wheelkit._core." name, doc, fields, WK_COUNT(fields))) != NULL)
    const int added = ADD(scan, "Scan", "The contents of an ELF, Mach-O or PE file.", SCAN_FIELDS) &&
                      ADD(slice, "Slice", "Facts about one binary.", SLICE_FIELDS) &&
                      ADD(library, "Library", "A library that a binary needs.", LIBRARY_FIELDS) &&
                      ADD(rpath, "Rpath", "A directory of the search path of a binary.", RPATH_FIELDS) &&
                      ADD(version, "Version", "An ELF symbol version that a binary needs.", VERSION_FIELDS) &&
                      ADD(symbol, "Symbol", "An undefined dynamic symbol.", SYMBOL_FIELDS) &&
                      ADD(digest, "Digest", "Bytes whose digests the code signature has.", DIGEST_FIELDS);
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
    Py_VISIT(types->digest);
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
    Py_CLEAR(types->digest);
}
