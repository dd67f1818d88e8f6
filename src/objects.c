/* Python objects that represent the collected facts. */
#include "objects.h"

/* Return a str, or None if there is no string. Bytes that are not valid UTF-8 become \xNN escapes, so that
 * any name can be printed. */
static PyObject *text_object(wk_text t)
{
    if (t.data == NULL) {
        return Py_NewRef(Py_None);
    }
    return PyUnicode_DecodeUTF8(t.data, (Py_ssize_t)t.size, "backslashreplace");
}

/* A struct sequence under construction. If a value is NULL, `object` becomes NULL, and further values are
 * released. */
typedef struct record {
    PyObject *object;
    Py_ssize_t next; /* index of the next value */
} record;

static record new_record(PyTypeObject *type)
{
    const record r = {PyStructSequence_New(type), 0};
    return r;
}

/* Append a value. This steals the reference, also on failure. */
static void append_value(record *r, PyObject *value)
{
    if (r->object == NULL || value == NULL) {
        Py_CLEAR(r->object);
        Py_XDECREF(value);
    } else {
        PyStructSequence_SetItem(r->object, r->next++, value);
    }
}

static void append_name(record *r, const char *name)
{
    append_value(r, PyUnicode_InternFromString(name));
}

/* A tuple of known length under construction. */
typedef struct tuple_builder {
    PyObject *tuple;
    Py_ssize_t used;
} tuple_builder;

static tuple_builder new_tuple(size_t count)
{
    const tuple_builder t = {PyTuple_New((Py_ssize_t)count), 0};
    return t;
}

/* Append an item. This steals the reference. Return 0, or -1 if the item is NULL. */
static int append_item(tuple_builder *t, PyObject *item)
{
    return item ? PyTuple_SetItem(t->tuple, t->used++, item) : -1;
}

/* The lists of a slice under construction. */
typedef struct slice_builder {
    const wk_types *types;
    tuple_builder needed, rpaths, versions, definitions, imports, exports, digests;
    const char *last_library; /* name of the library of the last version */
} slice_builder;

static void release_tuples(slice_builder *b)
{
    Py_CLEAR(b->needed.tuple);
    Py_CLEAR(b->rpaths.tuple);
    Py_CLEAR(b->versions.tuple);
    Py_CLEAR(b->definitions.tuple);
    Py_CLEAR(b->imports.tuple);
    Py_CLEAR(b->exports.tuple);
    Py_CLEAR(b->digests.tuple);
}

/* Create the lists. Return 0, or -1 with an exception set. */
static int begin_slice(slice_builder *b, const wk_counts *counts)
{
    b->needed = new_tuple(counts->libraries);
    b->rpaths = new_tuple(counts->rpaths);
    b->versions = new_tuple(counts->versions);
    b->definitions = new_tuple(counts->definitions);
    b->imports = new_tuple(counts->imports);
    b->exports = new_tuple(counts->exports);
    b->digests = new_tuple(counts->digests);
    b->last_library = NULL;
    return b->needed.tuple && b->rpaths.tuple && b->versions.tuple && b->definitions.tuple &&
                   b->imports.tuple && b->exports.tuple && b->digests.tuple
               ? 0
               : -1;
}

static PyObject *library_object(const slice_builder *b, const wk_library *library)
{
    static const char *const NAMES[] = {"required", "weak", "reexport", "upward", "lazy", "delay"};
    record r = new_record(b->types->library);
    append_value(&r, text_object(library->name));
    append_name(&r, NAMES[library->link]);
    return r.object;
}

static PyObject *rpath_object(const slice_builder *b, const wk_rpath *rpath)
{
    record r = new_record(b->types->rpath);
    append_value(&r, text_object(rpath->path));
    append_name(&r, rpath->runpath ? "runpath" : "rpath");
    return r.object;
}

/* Return a borrowed reference to a field of an item that has been appended. */
static PyObject *item_field(const tuple_builder *t, uint32_t index, Py_ssize_t field)
{
    return PyStructSequence_GetItem(PyTuple_GetItem(t->tuple, (Py_ssize_t)index), field);
}

/* Return a new Version. Its third field stays NULL until an import needs the version or the slice ends.
 * Consecutive versions of a library share its name. */
static PyObject *version_object(slice_builder *b, const wk_version *version)
{
    record r = new_record(b->types->version);
    if (b->last_library == version->library.data && b->versions.used > 0) {
        append_value(&r, Py_NewRef(item_field(&b->versions, (uint32_t)b->versions.used - 1, 0)));
    } else {
        append_value(&r, text_object(version->library));
    }
    append_value(&r, text_object(version->version));
    r.next++;
    append_value(&r, PyBool_FromLong(version->weak));
    b->last_library = version->library.data;
    return r.object;
}

static PyObject *import_name(const wk_import *import)
{
    if (import->name.data == NULL) {
        return PyUnicode_FromFormat("#%u", (unsigned)import->ordinal);
    }
    return text_object(import->name);
}

/* Return a new Symbol. If it is the first one that needs its version, store its name in the version. */
static PyObject *import_object(const slice_builder *b, const wk_import *import)
{
    record r = new_record(b->types->symbol);
    PyObject *library = Py_None;
    PyObject *version = Py_None;
    PyObject *name = import_name(import);
    if (import->version != WK_NONE) {
        library = item_field(&b->versions, import->version, 0);
        version = item_field(&b->versions, import->version, 1);
        PyObject *needed = PyTuple_GetItem(b->versions.tuple, (Py_ssize_t)import->version);
        if (name && PyStructSequence_GetItem(needed, 2) == NULL) {
            PyStructSequence_SetItem(needed, 2, Py_NewRef(name));
        }
    } else if (import->library != WK_NONE) {
        library = item_field(&b->needed, import->library, 0);
    }
    append_value(&r, name);
    append_value(&r, Py_NewRef(library));
    append_value(&r, Py_NewRef(version));
    append_value(&r, PyBool_FromLong(import->weak));
    return r.object;
}

static PyObject *digest_object(const slice_builder *b, const wk_digest *digest)
{
    record r = new_record(b->types->digest);
    append_name(&r, digest->algorithm);
    append_value(&r, PyLong_FromUnsignedLongLong(digest->offset));
    append_value(&r, PyLong_FromUnsignedLongLong(digest->size));
    append_value(&r, PyLong_FromUnsignedLong(digest->chunk));
    append_value(&r, PyLong_FromUnsignedLongLong(digest->digests));
    append_value(&r, PyLong_FromUnsignedLong(digest->digest_size));
    return r.object;
}

static int append_event(slice_builder *b, const wk_event *event)
{
    switch (event->kind) {
    case WK_EVENT_KIND_LIBRARY: return append_item(&b->needed, library_object(b, &event->value.library));
    case WK_EVENT_KIND_RPATH: return append_item(&b->rpaths, rpath_object(b, &event->value.rpath));
    case WK_EVENT_KIND_VERSION: return append_item(&b->versions, version_object(b, &event->value.version));
    case WK_EVENT_KIND_DEFINITION: return append_item(&b->definitions, text_object(event->value.definition));
    case WK_EVENT_KIND_IMPORT: return append_item(&b->imports, import_object(b, &event->value.import));
    case WK_EVENT_KIND_EXPORT: return append_item(&b->exports, text_object(wk_event_export_name(event)));
    case WK_EVENT_KIND_DIGEST: return append_item(&b->digests, digest_object(b, &event->value.digest));
    case WK_EVENT_KIND_SLICE: break;
    }
    return 0;
}

/* Store None in the versions that no symbol needs. */
static void fill_version_symbols(const slice_builder *b)
{
    for (Py_ssize_t i = 0; i < b->versions.used; i++) {
        PyObject *version = PyTuple_GetItem(b->versions.tuple, i);
        if (PyStructSequence_GetItem(version, 2) == NULL) {
            PyStructSequence_SetItem(version, 2, Py_NewRef(Py_None));
        }
    }
}

static PyObject *known_or_number(const char *name, uint32_t number)
{
    return name ? PyUnicode_InternFromString(name) : PyUnicode_FromFormat("unknown-0x%x", (unsigned)number);
}

static PyObject *os_object(const wk_slice *s)
{
    const int is_known = s->os != NULL || s->os_number != 0;
    return is_known ? known_or_number(s->os, s->os_number) : Py_NewRef(Py_None);
}

/* Return a str such as "11.0" or "10.15.4", or None. Mach-O packs versions as xxxx.yy.zz. */
static PyObject *packed_version(uint32_t v)
{
    const unsigned major = v >> 16;
    const unsigned minor = v >> 8 & 0xff;
    const unsigned patch = v & 0xff;
    if (v == 0) {
        return Py_NewRef(Py_None);
    }
    return patch ? PyUnicode_FromFormat("%u.%u.%u", major, minor, patch)
                 : PyUnicode_FromFormat("%u.%u", major, minor);
}

static PyObject *tristate_object(wk_tristate value)
{
    return value == WK_TRISTATE_UNKNOWN ? Py_NewRef(Py_None) : PyBool_FromLong(value == WK_TRISTATE_YES);
}

static PyObject *relro_object(wk_relro relro)
{
    static const char *const NAMES[] = {NULL, "partial", "full"};
    return NAMES[relro] ? PyUnicode_InternFromString(NAMES[relro]) : Py_NewRef(Py_None);
}

/* Return a tuple with the names of the bits that are set, the lowest first. */
static PyObject *bits_object(uint32_t bits, const char *const *names, size_t names_count)
{
    size_t count = 0;
    for (size_t bit = 0; bit < names_count; bit++) {
        count += bits >> bit & 1;
    }
    tuple_builder set = new_tuple(count);
    for (size_t bit = 0; set.tuple && bit < names_count; bit++) {
        if ((bits >> bit & 1) != 0 && append_item(&set, PyUnicode_InternFromString(names[bit])) < 0) {
            Py_CLEAR(set.tuple);
        }
    }
    return set.tuple;
}

static PyObject *flags_object(uint32_t flags)
{
    static const char *const NAMES[] = {
        "pie", "static", "textrel", "hard-float",     "zippered",   "aslr",       "high-entropy",
        "nx",  "cfg",    "dotnet",  "chained-fixups", "fixed-base", "static-tls", "nodeflib",
    };
    return bits_object(flags, NAMES, WK_COUNT(NAMES));
}

static PyObject *faults_object(uint32_t faults)
{
    static const char *const NAMES[] = {
        "ident", "no-segments", "no-dynamic", "order",  "program", "noopen",    "versions", "tables",
        "hash",  "sections",    "counts",     "offset", "overlap", "alignment", "numbers",  "relr",
    };
    return bits_object(faults, NAMES, WK_COUNT(NAMES));
}

/* Return a new Slice. The values are in the order of SLICE_FIELDS in types.c. */
static PyObject *slice_object(const slice_builder *b, const wk_slice *s)
{
    static const char *const KINDS[] = {"executable", "shared", "bundle", "object", "other"};
    record r = new_record(b->types->slice);
    append_value(&r, PyLong_FromUnsignedLongLong(s->offset));
    append_value(&r, PyLong_FromUnsignedLongLong(s->size));
    append_value(&r, known_or_number(s->arch, s->arch_number));
    append_value(&r, PyLong_FromLong(s->wide ? 64 : 32));
    append_name(&r, s->big ? "big" : "little");
    append_name(&r, KINDS[s->kind]);
    append_value(&r, text_object(s->name));
    append_value(&r, text_object(s->interpreter));
    append_value(&r, Py_NewRef(b->needed.tuple));
    append_value(&r, Py_NewRef(b->rpaths.tuple));
    append_value(&r, Py_NewRef(b->versions.tuple));
    append_value(&r, Py_NewRef(b->imports.tuple));
    append_value(&r, Py_NewRef(b->exports.tuple));
    append_value(&r, packed_version(s->min_os));
    append_value(&r, packed_version(s->sdk));
    append_value(&r, os_object(s));
    append_value(&r, tristate_object(s->is_signed));
    append_value(&r, tristate_object(s->executable_stack));
    append_value(&r, relro_object(s->relro));
    append_value(&r, PyLong_FromUnsignedLong(s->writable_executable));
    append_value(&r, PyLong_FromUnsignedLongLong(s->debug_bytes));
    append_value(&r, PyLong_FromUnsignedLongLong(s->symbol_bytes));
    append_value(&r, PyLong_FromUnsignedLongLong(s->code_bytes));
    append_value(&r, PyLong_FromUnsignedLongLong(s->data_bytes));
    append_value(&r, flags_object(s->flags));
    append_value(&r, s->refusal ? PyUnicode_InternFromString(s->refusal) : Py_NewRef(Py_None));
    append_value(&r, Py_NewRef(b->digests.tuple));
    append_value(&r, Py_NewRef(b->definitions.tuple));
    append_value(&r, PyLong_FromUnsignedLongLong(s->page_size));
    append_value(&r, PyLong_FromUnsignedLongLong(s->alignment));
    append_value(&r, PyLong_FromUnsignedLongLong(s->tls_bytes));
    append_value(&r, PyLong_FromUnsignedLong(s->isa));
    append_value(&r, faults_object(s->faults));
    return r.object;
}

/* Return the slice event that ends the slice whose first event is at `at`. */
static const wk_event *closing_event(const wk_events *events, size_t at)
{
    const wk_event *event = wk_event_at(events, at);
    while (event->kind != WK_EVENT_KIND_SLICE) {
        event = wk_event_at(events, event->next);
    }
    return event;
}

/* Return a new Slice from the events from `at` to `last`, or NULL with an exception set. */
static PyObject *build_slice(const wk_types *types, const wk_events *events, size_t at, const wk_event *last)
{
    slice_builder b = {0};
    b.types = types;
    int status = begin_slice(&b, &last->value.slice.counts);
    for (const wk_event *event = wk_event_at(events, at); status == 0 && event != last;
         event = wk_event_at(events, event->next)) {
        status = append_event(&b, event);
    }
    PyObject *slice = NULL;
    if (status == 0) {
        fill_version_symbols(&b);
        slice = slice_object(&b, &last->value.slice.facts);
    }
    release_tuples(&b);
    return slice;
}

PyObject *wk_scan_object(const wk_types *types, const wk_events *events)
{
    static const char *const FORMATS[] = {"elf", "macho", "pe"};
    tuple_builder slices = new_tuple(events->slice_count);
    wk_slice facts = {0};
    for (size_t at = 0; slices.tuple && at < events->size;) {
        const wk_event *last = closing_event(events, at);
        facts = last->value.slice.facts;
        if (append_item(&slices, build_slice(types, events, at, last)) < 0) {
            Py_CLEAR(slices.tuple);
        }
        at = last->next;
    }
    record r = new_record(types->scan);
    append_name(&r, FORMATS[facts.format]);
    append_value(&r, PyBool_FromLong(facts.fat));
    append_value(&r, slices.tuple);
    return r.object;
}
