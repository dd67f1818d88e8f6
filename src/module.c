/* The Python module wheelkit._core. */
#include "objects.h"

#include <inttypes.h>
#include <stdio.h>

/* Module slots of Python 3.12 and 3.13. The headers hide them when building for the limited API of 3.11.
 * The numbers are part of the stable ABI. */
#ifndef Py_mod_multiple_interpreters
#define Py_mod_multiple_interpreters 3
#define Py_MOD_PER_INTERPRETER_GIL_SUPPORTED ((void *)2)
#endif
#ifndef Py_mod_gil
#define Py_mod_gil 4
#define Py_MOD_GIL_NOT_USED ((void *)1)
#endif

typedef struct module_state {
    wk_types types;
    PyObject *scan_error;
} module_state;

/* Return the value of ScanError.reason for a result. */
static const char *reason_name(wk_result result)
{
    switch (result) {
    case WK_RESULT_OK:
    case WK_RESULT_NOT_A_BINARY:
    case WK_RESULT_STOPPED: break;
    case WK_RESULT_TRUNCATED: return "truncated";
    case WK_RESULT_BAD_COUNT: return "bad-count";
    case WK_RESULT_BAD_OFFSET: return "bad-offset";
    case WK_RESULT_BAD_ADDRESS: return "bad-address";
    case WK_RESULT_BAD_VALUE: return "bad-value";
    case WK_RESULT_UNSUPPORTED: return "unsupported";
    case WK_RESULT_BAD_STRING: return "bad-string";
    case WK_RESULT_OVERLAP: return "overlap";
    case WK_RESULT_LOOP: return "loop";
    case WK_RESULT_TOO_COMPLEX: return "too-complex";
    }
    return "unknown";
}

/* Return a printf() format that describes a result. Its only argument is wk_error.value, a uint64_t. */
static const char *detail_format(wk_result result)
{
    switch (result) {
    case WK_RESULT_OK:
    case WK_RESULT_NOT_A_BINARY:
    case WK_RESULT_STOPPED: break;
    case WK_RESULT_TRUNCATED: return "%" PRIu64 " bytes do not fit in the file";
    case WK_RESULT_BAD_COUNT: return "%" PRIu64 " entries do not fit in the file";
    case WK_RESULT_BAD_OFFSET: return "starts at 0x%" PRIx64 ", beyond the end";
    case WK_RESULT_BAD_ADDRESS: return "address 0x%" PRIx64 " is in no loaded part of the file";
    case WK_RESULT_BAD_VALUE: return "impossible value %" PRIu64;
    case WK_RESULT_UNSUPPORTED: return "unknown variant %" PRIu64;
    case WK_RESULT_BAD_STRING: return "text without an end";
    case WK_RESULT_OVERLAP: return "overlaps another part at 0x%" PRIx64;
    case WK_RESULT_LOOP: return "leads back to itself";
    case WK_RESULT_TOO_COMPLEX: return "far more entries than a sound file of this size has";
    }
    return "unknown damage";
}

/* Return whether snprintf() wrote the whole string into a buffer of `size` bytes. Otherwise set
 * SystemError: the buffers fit every message, so a longer one is a bug in this file. */
static bool message_fits(int written, size_t size)
{
    if (written >= 0 && (size_t)written < size) {
        return true;
    }
    PyErr_SetString(PyExc_SystemError, "a message of ScanError does not fit in its buffer");
    return false;
}

/* Return a message such as "ELF section header table: 70000 entries do not fit in the file (offset 0x40)",
 * or NULL with an exception set. Before Python 3.12, PyUnicode_FromFormat() cannot format 64-bit numbers
 * in hexadecimal. */
static PyObject *format_message(const wk_error *error)
{
    char detail[96];
    char offset[24];
    const int detail_size = snprintf(detail, sizeof detail, detail_format(error->result), error->value);
    const int offset_size = snprintf(offset, sizeof offset, "0x%" PRIx64, error->offset);
    if (!message_fits(detail_size, sizeof detail) || !message_fits(offset_size, sizeof offset)) {
        return NULL;
    }
    return PyUnicode_FromFormat("%s: %s (offset %s)", error->what, detail, offset);
}

/* Set an attribute to a value. This steals the reference to the value. Return 0, or -1 with an exception
 * set; a NULL value counts as a failure. */
static int set_attribute(PyObject *object, const char *name, PyObject *value)
{
    const int status = value ? PyObject_SetAttrString(object, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

/* Set ScanError, or the exception that prevented its creation. */
static void raise_scan_error(const module_state *state, const wk_error *error)
{
    PyObject *message = format_message(error);
    PyObject *exception = message ? PyObject_CallFunctionObjArgs(state->scan_error, message, NULL) : NULL;
    if (exception && set_attribute(exception, "what", PyUnicode_FromString(error->what)) == 0 &&
        set_attribute(exception, "offset", PyLong_FromUnsignedLongLong(error->offset)) == 0 &&
        set_attribute(exception, "reason", PyUnicode_FromString(reason_name(error->result))) == 0) {
        PyErr_SetObject(state->scan_error, exception);
    }
    Py_XDECREF(exception);
    Py_XDECREF(message);
}

PyDoc_STRVAR(
    scan_doc,
    "scan(buffer, /)\n--\n\n"
    "Return facts about the ELF, Mach-O or PE file in a buffer, or None for other kinds of files.\n\n"
    "Raise ScanError if the file is damaged.");

static PyObject *scan(PyObject *module, PyObject *buffer)
{
    const module_state *state = PyModule_GetState(module);
    Py_buffer view;
    if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    wk_events events;
    wk_error error;
    wk_result result;
    Py_BEGIN_ALLOW_THREADS
    result = wk_collect(view.buf, (size_t)view.len, &events, &error);
    Py_END_ALLOW_THREADS

    PyObject *scan_object = NULL;
    if (events.out_of_memory) {
        PyErr_NoMemory();
    } else if (result == WK_RESULT_OK) {
        scan_object = wk_scan_object(&state->types, &events);
    } else if (result == WK_RESULT_NOT_A_BINARY) {
        scan_object = Py_NewRef(Py_None);
    } else {
        raise_scan_error(state, &error);
    }
    wk_events_free(&events);
    PyBuffer_Release(&view);
    return scan_object;
}

PyDoc_STRVAR(
    error_doc,
    "A damaged ELF, Mach-O or PE file.\n\n"
    "`what` names the structure at fault, `offset` is its offset in the file, and `reason` is one of\n"
    "'truncated', 'bad-count', 'bad-offset', 'bad-address', 'bad-value', 'unsupported',\n"
    "'bad-string', 'overlap', 'loop' and 'too-complex'.");

static int exec_module(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    state->scan_error =
        PyErr_NewExceptionWithDoc("wheelkit._core.ScanError", error_doc, PyExc_ValueError, NULL);
    if (state->scan_error == NULL || PyModule_AddObjectRef(module, "ScanError", state->scan_error) < 0) {
        return -1;
    }
    return wk_types_init(&state->types, module);
}

static int traverse_module(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = PyModule_GetState(module);
    Py_VISIT(state->scan_error);
    return wk_types_traverse(&state->types, visit, arg);
}

static int clear_module(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->scan_error);
    wk_types_clear(&state->types);
    return 0;
}

static void free_module(void *module)
{
    (void)clear_module(module);
}

/* The definitions below never change, but they are not const: PyModuleDef has pointers to mutable methods
 * and slots, and PyModuleDef_Init() initializes the object header of the definition. */
static PyMethodDef METHODS[] = {
    {"scan", scan, METH_O, scan_doc},
    {NULL, NULL, 0, NULL},
};

/* Interpreters reject slots that they do not know. Those of newer versions come first, so that older
 * versions can start at a later slot. */
enum { SLOTS_FROM_3_13 = 0, SLOTS_FROM_3_12 = 1, SLOTS_FROM_3_11 = 2 };

static PyModuleDef_Slot SLOTS[] = {
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_exec, (void *)(uintptr_t)exec_module}, /* ISO C has no direct cast of a function to void * */
    {0, NULL},
};

#define MODULE_DEFINITION(first_slot)                     \
    {                                                     \
        PyModuleDef_HEAD_INIT,                            \
        .m_name = "wheelkit._core",                       \
        .m_doc = "Facts about ELF, Mach-O and PE files.", \
        .m_size = sizeof(module_state),                   \
        .m_methods = METHODS,                             \
        .m_slots = SLOTS + (first_slot),                  \
        .m_traverse = traverse_module,                    \
        .m_clear = clear_module,                          \
        .m_free = free_module,                            \
    }

static PyModuleDef MODULE_3_11 = MODULE_DEFINITION(SLOTS_FROM_3_11);
static PyModuleDef MODULE_3_12 = MODULE_DEFINITION(SLOTS_FROM_3_12);
static PyModuleDef MODULE_3_13 = MODULE_DEFINITION(SLOTS_FROM_3_13);

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    const unsigned long version = Py_Version >> 16;
    if (version >= 0x030d) {
        return PyModuleDef_Init(&MODULE_3_13);
    }
    return PyModuleDef_Init(version >= 0x030c ? &MODULE_3_12 : &MODULE_3_11);
}
