#include "objects.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that are no UTF-8 show as \xNN, so that any name can be printed. */
static PyObject *text(wk_text t)
{
    if (t.data == NULL) {
        return Py_NewRef(Py_None);
    }
    return PyUnicode_DecodeUTF8(t.data, (Py_ssize_t)t.size, "backslashreplace");
}

/* A structure under construction, filled item by item. A NULL value fails it, and what follows is let go. */
typedef struct filler {
    PyObject *object;
    Py_ssize_t next;
} filler;

static filler fill(PyTypeObject *type)
{
    const filler f = {PyStructSequence_New(type), 0};
    return f;
}

static void put(filler *f, PyObject *value)
{
    if (f->object == NULL || value == NULL) {
        Py_CLEAR(f->object);
        Py_XDECREF(value);
    } else {
        PyStructSequence_SetItem(f->object, f->next++, value);
    }
}

static void put_name(filler *f, const char *name)
{
    put(f, PyUnicode_InternFromString(name));
}

/* One of the lists of a slice: a tuple of known length. */
typedef struct list {
    PyObject *tuple;
    Py_ssize_t used;
} list;

static list new_list(size_t count)
{
    const list l = {PyTuple_New((Py_ssize_t)count), 0};
    return l;
}

/* Takes over the item; 0, or -1 when the item is NULL. */
static int add(list *l, PyObject *item)
{
    return item ? PyTuple_SetItem(l->tuple, l->used++, item) : -1;
}

typedef struct builder {
    const wk_types *types;
    list needed, rpaths, versions, imports, exports;
    const char *last_library; /* bytes of the library's name of the last version */
} builder;

static void release_lists(builder *b)
{
    Py_CLEAR(b->needed.tuple);
    Py_CLEAR(b->rpaths.tuple);
    Py_CLEAR(b->versions.tuple);
    Py_CLEAR(b->imports.tuple);
    Py_CLEAR(b->exports.tuple);
}

static int start_slice(builder *b, const wk_counts *counts)
{
    b->needed = new_list(counts->libraries);
    b->rpaths = new_list(counts->rpaths);
    b->versions = new_list(counts->versions);
    b->imports = new_list(counts->imports);
    b->exports = new_list(counts->exports);
    b->last_library = NULL;
    return b->needed.tuple && b->rpaths.tuple && b->versions.tuple && b->imports.tuple && b->exports.tuple ? 0 : -1;
}

static PyObject *library_object(const builder *b, const wk_library *library)
{
    static const char *const NAMES[] = {"required", "weak", "reexport", "upward", "lazy", "delay"};
    filler f = fill(b->types->library);
    put(&f, text(library->name));
    put_name(&f, NAMES[library->link]);
    return f.object;
}

static PyObject *rpath_object(const builder *b, const wk_rpath *rpath)
{
    filler f = fill(b->types->rpath);
    put(&f, text(rpath->path));
    put_name(&f, rpath->runpath ? "runpath" : "rpath");
    return f.object;
}

/* The field of an item of a list that stands already; borrowed. */
static PyObject *field_of(const list *l, uint32_t index, Py_ssize_t field)
{
    return PyStructSequence_GetItem(PyTuple_GetItem(l->tuple, (Py_ssize_t)index), field);
}

/* Its last field stays empty until an import asks for the version, or the slice ends. */
static PyObject *version_object(builder *b, const wk_version *version)
{
    filler f = fill(b->types->version);
    if (b->last_library == version->library.data && b->versions.used > 0) {
        put(&f, Py_NewRef(field_of(&b->versions, (uint32_t)b->versions.used - 1, 0)));
    } else {
        put(&f, text(version->library));
    }
    put(&f, text(version->version));
    b->last_library = version->library.data;
    return f.object;
}

static PyObject *import_name(const wk_import *import)
{
    if (import->name.data == NULL) {
        return PyUnicode_FromFormat("#%u", (unsigned)import->ordinal);
    }
    return text(import->name);
}

static PyObject *import_object(const builder *b, const wk_import *import)
{
    filler f = fill(b->types->symbol);
    PyObject *library = Py_None;
    PyObject *version = Py_None;
    PyObject *name = import_name(import);
    if (import->version != WK_NONE) {
        library = field_of(&b->versions, import->version, 0);
        version = field_of(&b->versions, import->version, 1);
        PyObject *asking = PyTuple_GetItem(b->versions.tuple, (Py_ssize_t)import->version);
        if (name && PyStructSequence_GetItem(asking, 2) == NULL) {
            PyStructSequence_SetItem(asking, 2, Py_NewRef(name));
        }
    } else if (import->library != WK_NONE) {
        library = field_of(&b->needed, import->library, 0);
    }
    put(&f, name);
    put(&f, Py_NewRef(library));
    put(&f, Py_NewRef(version));
    put(&f, PyBool_FromLong(import->weak));
    return f.object;
}

static int add_event(builder *b, const wk_event *event)
{
    switch (event->kind) {
    case WK_EVENT_KIND_LIBRARY: return add(&b->needed, library_object(b, &event->of.library));
    case WK_EVENT_KIND_RPATH: return add(&b->rpaths, rpath_object(b, &event->of.rpath));
    case WK_EVENT_KIND_VERSION: return add(&b->versions, version_object(b, &event->of.version));
    case WK_EVENT_KIND_IMPORT: return add(&b->imports, import_object(b, &event->of.import));
    case WK_EVENT_KIND_EXPORT: return add(&b->exports, text(wk_event_export_name(event)));
    case WK_EVENT_KIND_SLICE: break;
    }
    return 0;
}

static void end_versions(const builder *b)
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

/* Mach-O packs versions as xxxx.yy.zz; the last part is written when it is not zero. */
static PyObject *packed_version(uint32_t v)
{
    const unsigned major = v >> 16;
    const unsigned minor = v >> 8 & 0xff;
    const unsigned patch = v & 0xff;
    if (v == 0) {
        return Py_NewRef(Py_None);
    }
    return patch ? PyUnicode_FromFormat("%u.%u.%u", major, minor, patch) : PyUnicode_FromFormat("%u.%u", major, minor);
}

static PyObject *answer(wk_tristate a)
{
    return a == WK_TRISTATE_UNKNOWN ? Py_NewRef(Py_None) : PyBool_FromLong(a == WK_TRISTATE_YES);
}

static PyObject *relro_object(wk_relro relro)
{
    static const char *const NAMES[] = {NULL, "partial", "full"};
    return NAMES[relro] ? PyUnicode_InternFromString(NAMES[relro]) : Py_NewRef(Py_None);
}

static PyObject *flags_object(uint32_t flags)
{
    static const char *const NAMES[] = {"pie",  "static",       "textrel", "hard-float", "zippered",
                                        "aslr", "high-entropy", "nx",      "cfg",        "dotnet"};
    size_t count = 0;
    for (size_t bit = 0; bit < COUNT(NAMES); bit++) {
        count += flags >> bit & 1;
    }
    list names = new_list(count);
    for (size_t bit = 0; names.tuple && bit < COUNT(NAMES); bit++) {
        if ((flags >> bit & 1) != 0 && add(&names, PyUnicode_InternFromString(NAMES[bit])) < 0) {
            Py_CLEAR(names.tuple);
        }
    }
    return names.tuple;
}

/* Items in the order of SLICE_FIELDS. */
static PyObject *slice_object(const builder *b, const wk_slice *s)
{
    static const char *const KINDS[] = {"executable", "shared", "bundle", "object", "other"};
    filler f = fill(b->types->slice);
    put(&f, PyLong_FromUnsignedLongLong(s->offset));
    put(&f, PyLong_FromUnsignedLongLong(s->size));
    put(&f, known_or_number(s->arch, s->arch_number));
    put(&f, PyLong_FromLong(s->wide ? 64 : 32));
    put_name(&f, s->big ? "big" : "little");
    put_name(&f, KINDS[s->kind]);
    put(&f, text(s->name));
    put(&f, text(s->interpreter));
    put(&f, Py_NewRef(b->needed.tuple));
    put(&f, Py_NewRef(b->rpaths.tuple));
    put(&f, Py_NewRef(b->versions.tuple));
    put(&f, Py_NewRef(b->imports.tuple));
    put(&f, Py_NewRef(b->exports.tuple));
    put(&f, packed_version(s->min_os));
    put(&f, packed_version(s->sdk));
    put(&f, os_object(s));
    put(&f, answer(s->is_signed));
    put(&f, answer(s->executable_stack));
    put(&f, relro_object(s->relro));
    put(&f, PyLong_FromUnsignedLong(s->writable_executable));
    put(&f, PyLong_FromUnsignedLongLong(s->debug_bytes));
    put(&f, PyLong_FromUnsignedLongLong(s->symbol_bytes));
    put(&f, PyLong_FromUnsignedLongLong(s->code_bytes));
    put(&f, PyLong_FromUnsignedLongLong(s->data_bytes));
    put(&f, flags_object(s->flags));
    return f.object;
}

/* The event that closes the slice whose first event stands at `at`. */
static const wk_event *closing_event(const wk_events *events, size_t at)
{
    const wk_event *event = wk_event_at(events, at);
    while (event->kind != WK_EVENT_KIND_SLICE) {
        event = wk_event_at(events, event->next);
    }
    return event;
}

/* The slice whose first event stands at `at`, or NULL and an exception. */
static PyObject *build_slice(const wk_types *types, const wk_events *events, size_t at, const wk_event *last)
{
    builder b = {0};
    b.types = types;
    int status = start_slice(&b, &last->of.slice.counts);
    for (const wk_event *event = wk_event_at(events, at); status == 0 && event != last;
         event = wk_event_at(events, event->next)) {
        status = add_event(&b, event);
    }
    PyObject *slice = NULL;
    if (status == 0) {
        end_versions(&b);
        slice = slice_object(&b, &last->of.slice.facts);
    }
    release_lists(&b);
    return slice;
}

PyObject *wk_scan_object(const wk_types *types, const wk_events *events)
{
    static const char *const FORMATS[] = {"elf", "macho", "pe"};
    list slices = new_list(events->slices);
    wk_slice facts = {0};
    for (size_t at = 0; slices.tuple && at < events->size;) {
        const wk_event *last = closing_event(events, at);
        facts = last->of.slice.facts;
        if (add(&slices, build_slice(types, events, at, last)) < 0) {
            Py_CLEAR(slices.tuple);
        }
        at = last->next;
    }
    filler f = fill(types->scan);
    put_name(&f, FORMATS[facts.format]);
    put(&f, PyBool_FromLong(facts.fat));
    put(&f, slices.tuple);
    return f.object;
}
