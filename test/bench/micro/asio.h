// asio: asio, where it is installed.
//
// Every file must include it in this way: asio looks at what the standard library has said of
// itself so far, and in two files that disagree memory would be taken by one means and freed by
// another.
#pragma once

#if __has_include(<asio.hpp>)

#include <cstdlib>  // stands apart: before asio, whatever the alphabet says

#define ASIO_STANDALONE
#include <asio.hpp>

namespace micro {

// The loop's own executor, where asio's default is one of any kind, which costs more.
using AsioExecutor = asio::io_context::executor_type;
using AsioAwait = asio::use_awaitable_t<AsioExecutor>;
inline constexpr AsioAwait kAsioAwait;
template <class T>
using AsioAwaitable = asio::awaitable<T, AsioExecutor>;

}  // namespace micro

#endif
