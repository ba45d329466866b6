"""With what people and programs sign in, and the errors that Entra ID answers."""

USER_AGENTS = {
    "win": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
    ),
    "mac": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/18.6 Safari/605.1.15"
    ),
    "ios": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
    ),
    "linux": ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"),
    "py": "python-requests/2.32.3",
    "go": "go-http-client/1.1",
    "axios": "axios/1.7.9",
    "cli": "python-requests/2.32.3 azsdk-python-azure-cli/2.77.0",
    "ps": "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) PowerShell/7.5.2",
}

SYSTEMS = {
    "win": ("Windows10", "Edge 140.0.0"),
    "mac": ("MacOs", "Safari 18.6"),
    "ios": ("Ios 18.6.2", "Mobile Safari"),
    "linux": ("Linux", "Chrome 139.0.0"),
    "py": ("", "Python Requests 2.32"),
    "go": ("", ""),
    "axios": ("", "axios 1.7"),
    "cli": ("Windows10", "Python Requests 2.32"),
    "ps": ("Windows10", "Rich Client 4.72"),
}

SIGN_IN_ERRORS = {
    50126: "Error validating credentials due to invalid username or password.",
    50053: ("The account is locked, you've tried to sign in too many times with an incorrect user ID or password."),
    50055: "The password is expired.",
    50074: "Strong Authentication is required.",
    50076: (
        "Due to a configuration change made by your administrator, or because you moved to a "
        "new location, you must use multi-factor authentication to access the resource."
    ),
    500121: "Authentication failed during strong authentication request.",
    53003: ("Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    50140: ("This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."),
    50057: "The user account is disabled.",
    50034: "The user account does not exist in the directory.",
    65001: "The user or administrator has not consented to use the application.",
    7000222: "The provided client secret keys are expired.",
    7000215: "Invalid client secret is provided.",
}
