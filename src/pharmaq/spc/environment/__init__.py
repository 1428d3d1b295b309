"""Environmental and bioburden counts: alert and action levels."""

from pharmaq.spc.environment.levels import CountLevels, alert_action_levels

__all__ = ["CountLevels", "alert_action_levels"]
