/* Python objects made from the collected facts. */
#ifndef WK_OBJECTS_H
#define WK_OBJECTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "events.h"

/* The result types; each interpreter that imports the module has its own. */
typedef struct wk_types {
    PyTypeObject *scan, *slice, *library, *rpath, *version, *symbol;
} wk_types;

/* Make the types and add them to the module; -1 and an exception on failure. */
int wk_types_init(wk_types *types, PyObject *module);
int wk_types_traverse(wk_types *types, visitproc visit, void *arg);
void wk_types_clear(wk_types *types);

/* A new Scan, or NULL and an exception. The scanned bytes must still be there. */
PyObject *wk_scan_object(const wk_types *types, const wk_events *events);

#endif
