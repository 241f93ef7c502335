/** Who is signed in at the console: sessions that stand for an API key, and links that begin one. */
@NullMarked
package dev.coppice.control.session;

import org.jspecify.annotations.NullMarked;
