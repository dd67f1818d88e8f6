/* Python objects that represent the collected facts. */
#ifndef WK_OBJECTS_H
#define WK_OBJECTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "events.h"

#define WK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The types of the results. Each interpreter that imports the module has its own. */
typedef struct wk_types {
    PyTypeObject *scan, *slice, *library, *rpath, *version, *symbol, *digest;
} wk_types;

/* Create the types and add them to the module. Return 0, or -1 with an exception set. */
int wk_types_init(wk_types *types, PyObject *module);

/* The parts of the traverse and clear functions of the module that concern the types. */
int wk_types_traverse(wk_types *types, visitproc visit, void *arg);
void wk_types_clear(wk_types *types);

/* Return a new reference to a Scan, or NULL with an exception set. The scanned bytes must still be valid. */
PyObject *wk_scan_object(const wk_types *types, const wk_events *events);

#endif
