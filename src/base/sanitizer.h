// CHALK_ASAN, CHALK_TSAN: whether this is compiled with AddressSanitizer, ThreadSanitizer. g++ has macros, clang++
// features.
#pragma once

#ifndef __has_feature
#define CHALK_HAS_FEATURE(feature) 0
#else
#define CHALK_HAS_FEATURE(feature) __has_feature(feature)
#endif

#ifdef __SANITIZE_ADDRESS__
#define CHALK_ASAN 1
#else
#define CHALK_ASAN CHALK_HAS_FEATURE(address_sanitizer)
#endif

#ifdef __SANITIZE_THREAD__
#define CHALK_TSAN 1
#else
#define CHALK_TSAN CHALK_HAS_FEATURE(thread_sanitizer)
#endif
