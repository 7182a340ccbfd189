#include "resolver.h"

#include <utility>

namespace eddy {

OverrideResolver::OverrideResolver(Table table, std::shared_ptr<Resolver> resolver)
    : table_(std::move(table)), resolver_(std::move(resolver)) {}

Future<Addresses> OverrideResolver::find(std::string host, std::uint16_t port, int family) {
  for (const Asked& asked : {Asked{host, port, family}, Asked{host, port}, Asked{host}})
    if (const auto entry = table_.find(asked); entry != table_.end())
      return resolver_->resolve(entry->second.host, entry->second.port.value_or(port), family);
  return resolver_->resolve(std::move(host), port, family);
}

}  // namespace eddy
