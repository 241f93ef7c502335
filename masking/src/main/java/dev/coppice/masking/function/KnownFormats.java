package dev.coppice.masking.function;

import dev.coppice.masking.function.text.CheckedNumber;
import dev.coppice.masking.function.text.Dictionary;
import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What the functions know of formats and names, for those who look for personal data. */
public final class KnownFormats {
    private static final Set<String> FIRST_NAMES = lowerCase(Dictionary.FIRST_NAMES.entries());
    private static final Set<String> LAST_NAMES = lowerCase(Dictionary.LAST_NAMES.entries());

    private KnownFormats() {}

    private static Set<String> lowerCase(Collection<String> names) {
        return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
    }

    /** Whether a number's last digit is its Luhn digit. */
    public static boolean hasLuhnDigit(String digits) {
        int last = digits.length() - 1;
        return last > 0 && CheckedNumber.CreditCard.luhnDigit(digits.substring(0, last)) == digits.charAt(last) - '0';
    }

    /** Whether a text is an IBAN with valid check digits, with or without blanks. */
    public static boolean isIban(String text) {
        String compact = text.replace(" ", "");
        return compact.matches("[A-Za-z]{2}\\d{2}[A-Za-z0-9]{11,30}")
                && CheckedNumber.Iban.check(compact.substring(0, 2), compact.substring(4))
                        == Integer.parseInt(compact.substring(2, 4));
    }

    /** Whether a text is one of some hundred frequent first names. */
    public static boolean isFirstName(String text) {
        return FIRST_NAMES.contains(text.toLowerCase(Locale.ROOT));
    }

    /** Whether a text is one of some hundred frequent last names. */
    public static boolean isLastName(String text) {
        return LAST_NAMES.contains(text.toLowerCase(Locale.ROOT));
    }
}
