/* Calls the C interface of libtorch_cpu, and one function of libc10 by its C++ name. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define SYMBOL(name) __asm__(TEXT(__USER_LABEL_PREFIX__) name)

int32_t aoti_torch_dtype_float64(void);
size_t aoti_torch_dtype_element_size(int32_t dtype);
/* c10::isValidDeviceType(c10::DeviceType), whose argument is an enumeration of one byte. */
bool is_valid_device_type(int8_t type) SYMBOL("_ZN3c1017isValidDeviceTypeENS_10DeviceTypeE");

static PyObject *element_size(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyLong_FromSize_t(aoti_torch_dtype_element_size(aoti_torch_dtype_float64()));
}

static PyObject *is_device(PyObject *module, PyObject *argument)
{
    long type = PyLong_AsLong(argument);
    (void)module;
    if (type == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(is_valid_device_type((int8_t)type));
}

static PyMethodDef methods[] = {
    {"element_size", element_size, METH_NOARGS, NULL},
    {"is_device", is_device, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
