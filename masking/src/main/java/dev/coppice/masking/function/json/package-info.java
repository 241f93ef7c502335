/** Functions on parts of json and jsonb documents, which paths name. */
@NullMarked
package dev.coppice.masking.function.json;

import org.jspecify.annotations.NullMarked;
