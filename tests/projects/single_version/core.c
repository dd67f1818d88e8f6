#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *turns(PyObject *module, PyObject *args)
{
    long degrees = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "l", &degrees)) {
        return NULL;
    }
    return PyLong_FromLong(degrees / 360);
}

static PyMethodDef methods[] = {{"turns", turns, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
