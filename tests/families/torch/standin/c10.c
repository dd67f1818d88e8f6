/* Stands in for libc10: one function under its C++ name. */
#include <stdbool.h>
#include <stdint.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

EXPORT bool is_valid_device_type(int8_t type) __asm__(TEXT(__USER_LABEL_PREFIX__) "_ZN3c1017isValidDeviceTypeENS_10DeviceTypeE");

bool is_valid_device_type(int8_t type)
{
    return type >= 0 && type < 22;
}
