/** Files with masking rules: read, checked, and located by line in what the server says of them. */
@NullMarked
package dev.coppice.cli.rules;

import org.jspecify.annotations.NullMarked;
