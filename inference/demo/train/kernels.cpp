#ifdef __AMX_BF16__
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Whether the processor has what this was compiled for and the system lets this process use it.
extern "C" int kernels_ready() {
#ifdef __AMX_BF16__
  constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18;
  return __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bf16") && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
#else
  return __builtin_cpu_supports("avx512bf16");
#endif
}
