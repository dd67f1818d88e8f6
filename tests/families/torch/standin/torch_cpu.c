/* Stands in for libtorch_cpu: the two functions that spinor calls. */
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int32_t aoti_torch_dtype_float64(void)
{
    return 7;
}

EXPORT size_t aoti_torch_dtype_element_size(int32_t dtype)
{
    return dtype == 7 ? 8 : 0;
}
