"""Attribution methods measured where the true cause of a picture is known."""
