// kSnowPageHTML: the text of snow's page, in a file of its own.
#pragma once

namespace demo {

extern const char* const kSnowPageHTML;

}  // namespace demo
