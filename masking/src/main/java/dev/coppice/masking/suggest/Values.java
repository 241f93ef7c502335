package dev.coppice.masking.suggest;

import dev.coppice.masking.function.KnownFormats;
import java.util.regex.Pattern;

/** How values of personal data look. */
final class Values {
    private static final Pattern EMAIL =
            Pattern.compile("[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,24}");
    private static final Pattern PHONE =
            Pattern.compile("(?:\\+|00)?[0-9(][0-9 ()./-]{5,22}[0-9]( ?(x|ext\\.?) ?\\d{1,6})?");
    private static final Pattern IPV4 =
            Pattern.compile("((25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1?\\d?\\d)(/\\d{1,2})?");
    private static final Pattern IPV6 = Pattern.compile("(?i)(?=.*:.*:)[0-9a-f:]{2,39}(%\\w+)?(/\\d{1,3})?");
    private static final Pattern MAC = Pattern.compile("(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}");
    private static final Pattern SOCIAL_SECURITY =
            Pattern.compile("(?!000|666|9\\d\\d)\\d{3}-(?!00)\\d{2}-(?!0000)\\d{4}");
    private static final Pattern SECRET =
            Pattern.compile("\\$2[abxy]?\\$\\d\\d\\$.{53}|\\$argon2(id|i|d)\\$.+|\\$[156]\\$.+|\\{SSHA}.+"
                    + "|pbkdf2[_:].+|SCRAM-SHA-256\\$.+|(sk|pk|rk)_(live|test)_\\w{8,}|gh[pousr]_\\w{20,}|xox[abpr]-[\\w-]{10,}"
                    + "|AKIA[0-9A-Z]{16}|eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]*");
    private static final Pattern WORD_WITH_NAME = Pattern.compile("[\\p{L}'’.-]+");
    private static final Pattern MENTION =
            Pattern.compile("[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\\.[A-Za-z]{2,}|\\+\\d[\\d ()-]{7,}\\d");
    private static final int CARD_MIN = 13;
    private static final int CARD_MAX = 19;
    private static final int EMAIL_MAX = 320;
    private static final int PHONE_MIN = 7;
    private static final int PHONE_MAX = 15;

    private Values() {}

    static boolean isEmail(String value) {
        // Longer is none, and the pattern would recurse for each of its parts.
        return value.length() <= EMAIL_MAX && EMAIL.matcher(value.strip()).matches();
    }

    static boolean isPhoneNumber(String value) {
        String text = value.strip();
        long digits = text.chars().filter(Character::isDigit).count();
        return digits >= PHONE_MIN
                && digits <= PHONE_MAX + 6
                && PHONE.matcher(text).matches()
                && !IPV4.matcher(text).matches()
                && !text.matches("\\d{4}-\\d\\d-\\d\\d.*");
    }

    static boolean isIban(String value) {
        return KnownFormats.isIban(value.strip());
    }

    static boolean isCardNumber(String value) {
        String digits = value.strip().replaceAll("[ -]", "");
        return digits.length() >= CARD_MIN
                && digits.length() <= CARD_MAX
                && digits.chars().allMatch(letter -> letter >= '0' && letter <= '9')
                && digits.charAt(0) >= '2'
                && digits.charAt(0) <= '6'
                && KnownFormats.hasLuhnDigit(digits);
    }

    static boolean isSocialSecurityNumber(String value) {
        return SOCIAL_SECURITY.matcher(value.strip()).matches();
    }

    static boolean isIpAddress(String value) {
        String text = value.strip();
        return IPV4.matcher(text).matches() || IPV6.matcher(text).matches();
    }

    static boolean isMacAddress(String value) {
        return MAC.matcher(value.strip()).matches();
    }

    static boolean isSecret(String value) {
        return SECRET.matcher(value).matches();
    }

    static boolean isFirstName(String value) {
        String text = value.strip();
        return WORD_WITH_NAME.matcher(text).matches() && KnownFormats.isFirstName(text);
    }

    static boolean isLastName(String value) {
        return KnownFormats.isLastName(value.strip());
    }

    /** Two to four words, one of them a known name. */
    static boolean isFullName(String value) {
        String[] words = value.strip().split("\\s+");
        if (words.length < 2 || words.length > 4) {
            return false;
        }
        for (String word : words) {
            if (!WORD_WITH_NAME.matcher(word).matches()) {
                return false;
            }
        }
        return KnownFormats.isFirstName(words[0]) || KnownFormats.isFirstName(words[1]);
    }

    /** A text of several words with an address or a number in it. */
    static boolean mentionsSomebody(String value) {
        return value.indexOf(' ') > 0 && MENTION.matcher(value).find();
    }
}
