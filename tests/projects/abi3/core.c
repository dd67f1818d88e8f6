#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *of(PyObject *module, PyObject *args)
{
    double mass = 0.0;
    double speed = 0.0;
    (void)module;
    if (!PyArg_ParseTuple(args, "dd", &mass, &speed)) {
        return NULL;
    }
    return PyFloat_FromDouble(mass * speed);
}

static PyMethodDef methods[] = {{"of", of, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
