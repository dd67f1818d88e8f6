#include <Python.h>

#include "orrery.h"

static PyObject *solve(PyObject *module, PyObject *args) {
    double m, e;
    (void)module;
    if (!PyArg_ParseTuple(args, "dd:solve", &m, &e)) return NULL;
    if (!(e >= 0.0 && e < 1.0)) {
        PyErr_SetString(PyExc_ValueError, "the eccentricity has to be at least 0 and below 1");
        return NULL;
    }
    return PyFloat_FromDouble(orrery_solve(m, e));
}

static PyMethodDef methods[] = {
    {"solve", solve, METH_VARARGS, "solve(m, e): the eccentric anomaly for a mean anomaly and an eccentricity, in radians."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_core",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
