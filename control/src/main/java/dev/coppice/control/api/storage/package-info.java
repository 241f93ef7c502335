/** Routes that look below branches: sizes, page versions, checks. */
@NullMarked
package dev.coppice.control.api.storage;

import org.jspecify.annotations.NullMarked;
