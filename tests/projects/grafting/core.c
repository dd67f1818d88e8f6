#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern int gear_ratio(int teeth, int of);

static PyObject *ratio(PyObject *module, PyObject *args)
{
    int teeth = 0;
    int of = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "ii", &teeth, &of)) {
        return NULL;
    }
    return PyLong_FromLong(gear_ratio(teeth, of));
}

static PyMethodDef methods[] = {{"ratio", ratio, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
